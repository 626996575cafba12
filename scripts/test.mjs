// Test: `npm test` installs if needed, runs vitest on servers of its own and ends with one line: N passed, N failed.
import './machine/node.mjs';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endCommands } from './machine/command.mjs';
import { installPackages } from './packages.mjs';
import { Advice, root } from './machine/place.mjs';
import { Steps } from './machine/progress.mjs';

const faults = process.argv.includes('--faults');
const args = process.argv.slice(2).filter((each) => each !== '--faults');
const folder = mkdtempSync(join(tmpdir(), 'evently-report-'));
const report = join(folder, 'report.json');
let child = null;

// Ctrl-C reaches vitest too, which stops its servers; we wait for it, so that nothing is left.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    if (!child) void endCommands();
    else if (signal !== 'SIGINT') child.kill(signal);
  });
}

try {
  await new Steps(1).run('Packages', (tell) => installPackages({ dev: true, tell }));
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const config = faults ? ['--config', join(root, 'test/faults.config.ts'), '--root', root] : [];
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  child = spawn(process.execPath, [vitest, 'run', ...config, ...reporters, ...args], { cwd: root, stdio: 'inherit' });
  const [code] = await once(child, 'close');
  const { passed, failed } = count(code);
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed > 0 ? 1 : 0;
} catch (error) {
  console.error(error instanceof Advice ? error.message : error);
  console.log('0 passed, 1 failed');
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** A file that could not even be loaded, or an error outside all tests, counts as one failure. */
function count(code) {
  if (!existsSync(report)) return { passed: 0, failed: 1 };
  const { numPassedTests: passed, numFailedTests, testResults } = JSON.parse(readFileSync(report, 'utf8'));
  const broken = testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((it) => it.status === 'failed'),
  );
  const failed = numFailedTests + broken.length;
  return { passed, failed: failed === 0 && code !== 0 ? 1 : failed };
}
