// Node: stops at once, with advice, on a version that cannot run Evently. Imported first, before anything newer is touched.
const [major, minor] = process.versions.node.split('.').map(Number);
const fits = (major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major >= 24;

if (!fits || process.platform === 'win32') {
  console.error(
    process.platform === 'win32'
      ? 'Evently runs on Linux and macOS. On Windows, use WSL (a Linux inside Windows) or the Dockerfile.'
      : `Evently needs Node 20.19 or newer in 20, 22.12 or newer in 22, or 24 and above; this is ${process.version}.\n` +
          'Get one from https://nodejs.org, or with nvm: nvm install 22 && nvm use 22',
  );
  process.exit(1);
}
