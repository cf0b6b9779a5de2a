import assert from 'node:assert/strict';
import { endianness } from 'node:os';
import { test } from 'node:test';
import { parseSockets } from '../../../src/platform/sockets.ts';

const head =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
const line = (address: string, state: string, inode: number): string =>
  `   0: ${address}:1F90 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000  1000        0 ${inode} 1 0000000000000000 100 0 0 10 0\n`;

test('the listening sockets of a kernel table are read, with port, address and inode', () => {
  const table =
    head + line('0100007F', '0A', 4711) + line('0100007F', '01', 4712) + line('00000000', '0A', 4713);
  const found = parseSockets(table);
  assert.deepEqual(
    found.map(({ port, inode }) => [port, inode]),
    [
      [8080, 4711],
      [8080, 4713],
    ],
  );
  if (endianness() === 'LE') {
    assert.deepEqual(
      found.map(({ address }) => address),
      ['127.0.0.1', '0.0.0.0'],
    );
  }
});

test('addresses of IPv6 have their usual form', () => {
  const cases: [hex: string, address: string][] = [
    ['00000000000000000000000000000000', '::'],
    ['00000000000000000000000001000000', '::1'],
    ['0000000000000000FFFF00000100007F', '::ffff:127.0.0.1'],
    ['000080FE00000000FF005450B6AD1DFE', 'fe80::5054:ff:fe1d:adb6'],
    ['B80D0120000000000000000001000000', '2001:db8::1'],
  ];
  for (const [hex, address] of cases) {
    const own = endianness() === 'LE' ? hex : (hex.match(/.{8}/g) ?? []).map(swapped).join('');
    assert.equal(parseSockets(head + line(own, '0A', 1))[0]?.address, address);
  }
});

function swapped(word: string): string {
  return (word.match(/../g) ?? []).reverse().join('');
}
