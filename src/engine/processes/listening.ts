import { listeningSockets, socketsOf } from '../../platform/sockets.ts';

/** A TCP port at which a process of a task takes connections. */
export interface ListeningPort {
  readonly port: number;
  /** The address that it listens at; `0.0.0.0` and `::` are all. */
  readonly address: string;
  /** The process; `null` where the system does not tell. */
  readonly pid: number | null;
}

/** The ports of tasks, from the processes of each, by the ids of those that listen. */
export function portsOf(pids: ReadonlyMap<string, readonly number[]>): Map<string, ListeningPort[]> {
  const listeners = new Listeners();
  const found = [...pids].map(([taskId, own]) => [taskId, listeners.of(own)] as const);
  return new Map(found.filter(([, ports]) => ports.length > 0));
}

/** Finds the ports at which processes listen, by the sockets that listen now. */
export class Listeners {
  /** By the number of the socket. */
  readonly #sockets = new Map<number, Omit<ListeningPort, 'pid'>[]>();

  constructor() {
    // On Windows the pid stands for the socket, and may have several; macOS lists none.
    for (const { inode, port, address } of listeningSockets() ?? [])
      this.#sockets.set(inode, [...(this.#sockets.get(inode) ?? []), { port, address }]);
  }

  /** The ports of some processes, by their numbers; of processes that share a socket the first one is told. */
  of(pids: Iterable<number>): ListeningPort[] {
    const found: ListeningPort[] = [];
    const seen = new Set<number>();
    for (const pid of this.#sockets.size === 0 ? [] : pids)
      for (const inode of socketsOf(pid)) {
        if (!seen.has(inode))
          for (const socket of this.#sockets.get(inode) ?? []) found.push({ ...socket, pid });
        seen.add(inode);
      }
    return found.sort((a, b) => a.port - b.port || (a.address < b.address ? -1 : 1));
  }
}
