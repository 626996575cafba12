// `npm run keys:rotate [-- tickets]`: a new key signs access tokens (or tickets) from now on; running apis take it within a second.
import { rotateKeys } from '../libs/platform/config/secret.keyring.js';
import { secretFile } from '../libs/platform/config/config.reader.js';

const rings = { jwt: ['JWT_KEYS', 'RS256'], tickets: ['TICKET_KEYS', 'EdDSA'] } as const;
const wanted = process.argv[2] ?? 'jwt';

function main(): number {
  if (!(wanted in rings)) {
    console.error(`There are no ${wanted} keys. Use: npm run keys:rotate, or npm run keys:rotate -- tickets`);
    return 2;
  }
  const [name, alg] = rings[wanted as keyof typeof rings];
  const file = secretFile(name);
  if (file === undefined) {
    const where = process.env[name] === undefined ? `${name}_FILE is not set` : `${name} stands in the environment itself`;
    console.error(`${where}: keys are rotated in a file. Put them in one and name it in ${name}_FILE.`);
    return 1;
  }
  try {
    const { added, kept, dropped } = rotateKeys(file, alg, new Date());
    console.log(`${file}: ${added} signs now.`);
    console.log(`Still verifying: ${kept.join(', ') || 'none'}.${dropped.length > 0 ? ` Dropped: ${dropped.join(', ')}.` : ''}`);
    return 0;
  } catch (e) {
    console.error(`${file} was left as it is: ${(e as Error).message}`);
    return 1;
  }
}

process.exitCode = main();
