import { aiHostsHad } from '../support/agents/sdk-host.ts';
import { testIdle } from '../support/agents/told-host.ts';

testIdle(aiHostsHad());
