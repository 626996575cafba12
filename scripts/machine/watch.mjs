// Watch: `npm run dev`: a changed source is compiled and the api and the worker start anew.
import { existsSync, readdirSync, watch } from 'node:fs';
import { join } from 'node:path';
import { build, builtLine } from '../build.mjs';
import { root } from './place.mjs';
import { note } from './progress.mjs';

const quietMs = 120;

/** Watches the sources. `migrate` runs when a migration changed; `apps` are restarted. */
export function watchSources({ apps, migrate }) {
  const changed = new Set();
  let timer = null;
  let busy = Promise.resolve();
  const onChange = (name) => {
    if (!/\.(ts|json|sql|html|css|hbs|svg)$/.test(name) || name.endsWith('.spec.ts')) return;
    changed.add(name);
    clearTimeout(timer);
    timer = setTimeout(() => {
      const names = [...changed];
      changed.clear();
      busy = busy.then(() => renew(names, apps, migrate));
    }, quietMs);
  };
  watchFolders(onChange);
  note('Watching apps, libs and scripts');
}

/** Folder by folder: Node's recursive watching loses a file on Linux once an editor has replaced it. */
function watchFolders(onChange) {
  const watched = new Set();
  const add = (folder) => {
    if (watched.has(folder)) return;
    watched.add(folder);
    const watcher = watch(join(root, folder), (_, name) => {
      onChange(join(folder, String(name)));
      addBelow(folder); // It may be a new folder.
    });
    watcher.on('error', () => watched.delete(folder)); // The folder went.
    addBelow(folder);
  };
  const addBelow = (folder) => {
    if (!existsSync(join(root, folder))) return;
    const entries = readdirSync(join(root, folder), { withFileTypes: true });
    for (const entry of entries) if (entry.isDirectory()) add(join(folder, entry.name));
  };
  for (const folder of ['apps', 'libs', 'scripts']) add(folder);
  watch(root, (_, name) => name === 'ormconfig.ts' && onChange(name));
}

async function renew(names, apps, migrate) {
  const began = performance.now();
  try {
    const result = await build();
    if (result.compiled + result.copied + result.removed === 0) return;
    note(`${names.slice(0, 3).join(', ')}${names.length > 3 ? ' ...' : ''}: ${builtLine(result)}`);
    if (names.some((name) => /migrations\//.test(name))) await migrate();
    await Promise.all(apps.map(restart));
    note(`api and worker run anew (${((performance.now() - began) / 1000).toFixed(1)} s)`);
  } catch (error) {
    note(`${error.message}\n          Waiting for a change.`);
  }
}

/** While `restarting` is set the supervisor leaves the child to us, also when it fails: the next change tries again. */
async function restart(child) {
  child.restarting ??= promise();
  await child.stop(5000);
  await child.start();
  child.restarting.resolve();
  child.restarting = null;
}

function promise() {
  let resolve;
  const done = new Promise((yes) => (resolve = yes));
  return { done, resolve };
}
