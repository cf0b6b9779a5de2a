import { visible } from '../../util/visible.ts';
import type { TaskData } from '../protocol.ts';
import { Pairs } from './facts.tsx';

/** The live processes of a task, and the ports on which they listen. */
export function Processes({ data, isRunning }: { data: TaskData | null; isRunning: boolean }) {
  if (data === null) return <p>Loading…</p>;
  const { processes, ports } = data;
  return (
    <>
      {processes.length === 0 ? (
        <p>No process of this task is alive.</p>
      ) : (
        <div class="scroll">
          <table class="facts">
            <caption>{isRunning ? 'Processes that run' : 'Processes that it left running'}</caption>
            <thead>
              <tr>
                <th scope="col">pid</th>
                <th scope="col">parent</th>
                <th scope="col">Command</th>
              </tr>
            </thead>
            <tbody>
              {processes.map(({ pid, parent, command }) => (
                <tr key={pid}>
                  <td>{pid}</td>
                  <td>{parent ?? ''}</td>
                  <td>
                    <code>{visible(command)}</code>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {ports.length > 0 && (
        <p>It listens on {ports.map(({ port, address }) => `port ${port} (${address})`).join(', ')}.</p>
      )}
    </>
  );
}

/** The limits of a task. */
export function Limits({ data }: { data: TaskData | null }) {
  return data === null ? <p>Loading…</p> : <Pairs pairs={data.limits} />;
}
