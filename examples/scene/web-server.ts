// The web server of the scene: on loopback, at a port that the system picks, with a child of its own that does the
// work. The child leads a process group of its own, as daemons do, so that a signal to the server's misses it.
import { fork } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

const worker = fork(join(import.meta.dirname, 'web-worker.js'), { detached: true });
let beats = 0;
worker.on('message', () => {
  beats += 1;
});
const server = createServer((_request, response) => {
  response.end(`server ${process.pid}, worker ${worker.pid}, beat ${beats}\n`);
});
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  console.log(`listening on http://127.0.0.1:${port}/ (pid ${process.pid}, worker ${worker.pid})`);
});
