// Progress: what the terminal is told: numbered steps with times, and lines about what happens later.
const live = process.stdout.isTTY === true;

// Whoever read our output may have gone (`npm start | head`); that must not end the servers.
process.stdout.on('error', () => {});

export function say(line = '') {
  process.stdout.write(`${live ? '\r\x1b[K' : ''}${line}\n`);
}

/** A line with the time of day, for what happens while everything runs. */
export function note(line) {
  say(`${new Date().toTimeString().slice(0, 8)}  ${line}`);
}

/** Numbers the steps of one command. */
export class Steps {
  #number = 0;

  constructor(total) {
    this.total = total;
  }

  /** Runs `work(tell)`; `tell(text)` shows how far it is. What it returns, if text, ends the line. */
  async run(title, work) {
    const label = `[${++this.#number}/${this.total}] ${title}`;
    const began = performance.now();
    const seconds = () => `${((performance.now() - began) / 1000).toFixed(1)} s`;
    let told = '';
    let shownAt = began;
    const show = () => {
      if (live) process.stdout.write(`\r\x1b[K${label} ... ${told} ${seconds()}`);
      else if (performance.now() - shownAt > 10_000) {
        shownAt = performance.now();
        say(`${label} ... ${told} ${seconds()}`);
      }
    };
    if (!live) say(`${label} ...`);
    const timer = setInterval(show, 250);
    try {
      const result = await work((text) => {
        told = text;
        show();
      });
      say(`${label}: ${typeof result === 'string' ? result : 'done'} (${seconds()})`);
      return result;
    } finally {
      clearInterval(timer);
    }
  }
}
