// An extension of pi: its agent has the tools of outlive, and is woken when a command ends. Beside a node_modules folder with
// outlive: pi --extension pi-extension.js
import { piExtension } from 'outlive/pi';

// biome-ignore lint/style/noDefaultExport: pi asks for one
export default piExtension();
