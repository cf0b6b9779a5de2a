// An agent that starts a command and dies at once, as a crash or an update would have it. See ../survive-a-restart.ts.
import { openStore } from '../../src/index.ts';

const store = await openStore();
const session = await store.session('conversation-42');
await session.spawn('sleep 0.3; echo tested; exit 5', { name: 'tests', timeoutMs: 30_000 });
process.kill(process.pid, 'SIGKILL');
