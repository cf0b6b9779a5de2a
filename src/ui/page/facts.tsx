import { visible } from '../../util/visible.ts';
import type { TaskData } from '../protocol.ts';
import { shownDuration, shownTime } from '../shown.ts';

/** How the status is known, and the history of the task from its log. */
export function Facts({ data }: { data: TaskData | null }) {
  if (data === null) return <p>Loading…</p>;
  let before: number | null = null;
  return (
    <>
      <h2>How we know</h2>
      {data.how.map((sentence) => (
        <p key={sentence}>{visible(sentence)}</p>
      ))}
      <h2>History</h2>
      <div class="scroll">
        <table class="facts">
          <thead>
            <tr>
              <th scope="col">Time</th>
              <th scope="col">After</th>
              <th scope="col">Fact</th>
              <th scope="col">What happened</th>
            </tr>
          </thead>
          <tbody>
            {data.facts.map(({ at, fact, text }, index) => {
              const since =
                at !== null && before !== null ? `+${shownDuration(Math.max(0, at - before))}` : '';
              before = at ?? before;
              return (
                <tr key={index}>
                  <td>{shownTime(at)}</td>
                  <td>{since}</td>
                  <td>
                    <code>{fact}</code>
                  </td>
                  <td>{visible(text)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
      <h2>About this task</h2>
      <Pairs pairs={data.about} />
    </>
  );
}

/** Names and values. */
export function Pairs({ pairs }: { pairs: readonly (readonly [string, string])[] }) {
  return (
    <dl>
      {pairs.map(([name, value]) => (
        <div key={name}>
          <dt>{visible(name)}</dt>
          <dd>{visible(value)}</dd>
        </div>
      ))}
    </dl>
  );
}
