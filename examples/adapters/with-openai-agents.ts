// An agent of the OpenAI Agents SDK starts a build, is idle, and goes on when the build has ended. OPENAI_BASE_URL and
// OPENAI_API_KEY say which model is asked, as the SDK reads them.
import { Agent, type AgentInputItem, run } from '@openai/agents';
import { openStore } from 'outlive';
import { openAiTools } from 'outlive/openai';

await using store = await openStore();
const outlive = await openAiTools(store, await store.session('conversation-42'));
const { tools, instructions, callModelInputFilter } = outlive;
const agent = new Agent({ name: 'builder', model: process.env.MODEL ?? 'gpt-5', instructions, tools });
let items: AgentInputItem[] = [{ role: 'user', content: 'Start the build, and tell me when it is done.' }];

console.log(await turn()); // the build runs
if (await outlive.arrived()) console.log(await turn()); // it has ended, and the model is told
outlive.close();

async function turn(): Promise<string | undefined> {
  const result = await run(agent, items, { callModelInputFilter });
  // What was told is not in the history of the SDK: without saved() the model would forget it.
  items = await outlive.saved(result.history);
  return result.finalOutput;
}
