// Watch: `npm run dev`: a changed source is compiled and the api and the worker start anew.
import { watch } from 'node:fs';
import { join } from 'node:path';
import { build, builtLine } from './build.mjs';
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
  for (const folder of ['apps', 'libs', 'scripts'])
    watch(join(root, folder), { recursive: true }, (_, name) => onChange(String(name)));
  watch(join(root, 'ormconfig.ts'), () => onChange('ormconfig.ts'));
  note('Watching apps, libs and scripts');
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
