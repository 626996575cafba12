// A wrong clock for fault tests: each SIGUSR2 sets this process's own clock back an hour, as a machine's clock may be.
let behindMs = 0;
const RealDate = Date;

class WrongDate extends RealDate {
  constructor(...args) {
    if (args.length === 0) super(WrongDate.now());
    else super(...args);
  }
  static now() {
    return RealDate.now() - behindMs;
  }
}

globalThis.Date = WrongDate;
process.on('SIGUSR2', () => (behindMs += 3_600_000));
