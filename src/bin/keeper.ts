// The keeper of a store on Windows: started by a sentinel (src/shim/windows-sentinel.ts) when a spawner is gone and its tasks are not.
// Arguments: the store's folder, the sentinel's mark, and how many bytes the store may have (empty: any number).
import { StoreKeeper } from '../engine/windows/keeper.ts';
import { keptStore } from '../engine/windows/kept-store.ts';

const [dir = '', mark = '', maxStoreBytes = ''] = process.argv.slice(2);
const store = await keptStore(dir, maxStoreBytes === '' ? null : Number(maxStoreBytes));
if (store !== null) {
  const keeper = new StoreKeeper(store, mark);
  // Asked to end, it does; what is left to do is for the process that looks next.
  process.once('SIGTERM', () => {
    keeper.release();
    process.exit(0);
  });
  await keeper.run();
}
