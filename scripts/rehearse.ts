// Rehearse: `npm run rehearse` runs an on-sale against a running Evently and judges it from outside.
import { main } from './rehearse/main.js';

process.exitCode = await main({ argv: process.argv.slice(2), env: process.env, out: process.stdout, err: process.stderr });
