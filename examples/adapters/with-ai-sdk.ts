// An agent of the Vercel AI SDK starts a build, is idle, and goes on when the build has ended. MODEL_URL names a model of the
// OpenAI API; without it OpenAI itself is asked.
import { createOpenAI } from '@ai-sdk/openai';
import { generateText, isStepCount, type ModelMessage } from 'ai';
import { openStore } from 'outlive';
import { aiTools } from 'outlive/ai';

const { MODEL_URL: baseURL, MODEL: model = 'gpt-5' } = process.env;
const provider = createOpenAI(baseURL === undefined ? {} : { baseURL });

await using store = await openStore();
const outlive = await aiTools(store, await store.session('conversation-42'));
let messages: ModelMessage[] = [{ role: 'user', content: 'Start the build, and tell me when it is done.' }];

console.log(await turn()); // the build runs
if (await outlive.arrived()) console.log(await turn()); // it has ended, and the model is told
outlive.close();

async function turn(): Promise<string> {
  const { tools, prepareStep, instructions } = outlive;
  const result = await generateText({
    model: provider.chat(model),
    ...{ instructions, tools, prepareStep, messages },
    stopWhen: isStepCount(20),
  });
  // What was told is in no message of the SDK: without saved() the model would forget it.
  messages = await outlive.saved([...messages, ...result.responseMessages]);
  return result.text;
}
