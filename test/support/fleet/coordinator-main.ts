// The program of CoordinatorProcess.
import { connect } from '@nats-io/transport-node';
import { Coordinator } from '../../../src/fleet/coordinator/coordinator.ts';
import { signingKey } from '../../../src/fleet/wire/signed.ts';
import { ExpectedWarnings } from '../expected-warnings.ts';
import type { ProcessOptions } from './coordinator-process.ts';

// Tests stop it for a while, and its server: what it was writing then is not answered in time.
new ExpectedWarnings(/writing the audit .*TimeoutError/);

const { url, seed, roles, leaseMs } = JSON.parse(process.argv[2] ?? '{}') as ProcessOptions;
const connection = await connect({
  servers: url,
  maxReconnectAttempts: -1,
  reconnectTimeWait: 100,
  pingInterval: 2000,
});
const key = signingKey(Buffer.from(seed, 'base64url'));
await Coordinator.start({ connection, key, roleOf: (publicKey) => roles[publicKey] ?? null, leaseMs });
console.log('ready');
