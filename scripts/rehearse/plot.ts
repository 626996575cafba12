// Plot: small charts as inline SVG, needing nothing from anywhere: lines over time, and bars.

export interface Series {
  name: string;
  color: string;
  /** x in seconds; a gap of missing seconds is drawn as one. */
  points: readonly (readonly [number, number])[];
  /** Drawn as steps: a count that holds until the next reading. */
  steps?: boolean;
}

export interface Mark {
  at: number;
  label: string;
  /** Where something ended; drawn as a band from `at`. */
  to?: number;
}

const width = 860;
const height = 250;
const inset = { left: 56, right: 12, top: 26, bottom: 30 };

export const escape = (text: string): string =>
  text.replace(/[&<>"']/g, (sign) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' })[sign]!);

/** A chart of lines; `unit` names the y axis. */
export function lines(title: string, unit: string, series: readonly Series[], marks: readonly Mark[] = []): string {
  const points = series.flatMap(({ points: each }) => each);
  const right = Math.max(1, ...points.map(([at]) => at), ...marks.map((mark) => mark.to ?? mark.at));
  const top = ceiling(Math.max(1, ...points.map(([, value]) => value)));
  const x = (at: number) => inset.left + (Math.max(0, at) / right) * (width - inset.left - inset.right);
  const y = (value: number) => height - inset.bottom - (value / top) * (height - inset.top - inset.bottom);
  const drawn = series.map((each) => {
    const path = pathOf(each, x, y);
    return `<path d="${path}" fill="none" stroke="${each.color}" stroke-width="1.8" stroke-linejoin="round"><title>${escape(each.name)}</title></path>`;
  });
  return frame(
    title,
    [grid(top, right, { x, y, unit }), ...marks.map((mark, n) => markOf(mark, n, x)), ...drawn],
    legend(series),
  );
}

function pathOf({ points, steps }: Series, x: (at: number) => number, y: (value: number) => number): string {
  return points
    .map(([at, value], n) => {
      const [px, py] = [x(at).toFixed(1), y(value).toFixed(1)];
      if (n === 0) return `M${px} ${py}`;
      return steps ? `H${px}V${py}` : `L${px} ${py}`;
    })
    .join('');
}

function grid(
  top: number,
  right: number,
  axes: { x: (at: number) => number; y: (value: number) => number; unit: string },
): string {
  const rows = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const at = axes.y(share * top).toFixed(1);
    const line = `<line x1="${inset.left}" x2="${width - inset.right}" y1="${at}" y2="${at}" class="grid"/>`;
    return `${line}<text x="${inset.left - 6}" y="${Number(at) + 4}" text-anchor="end">${number(share * top)}</text>`;
  });
  const step = ceiling(right / 8);
  const columns = Array.from({ length: Math.floor(right / step) + 1 }, (_, n) => {
    const at = n * step;
    return `<text x="${axes.x(at).toFixed(1)}" y="${height - 10}" text-anchor="middle">${number(at)} s</text>`;
  });
  return `${rows.join('')}${columns.join('')}<text x="4" y="14">${escape(axes.unit)}</text>`;
}

function markOf({ at, to, label }: Mark, n: number, x: (at: number) => number): string {
  const from = x(at).toFixed(1);
  const band =
    to === undefined
      ? ''
      : `<rect x="${from}" width="${(x(to) - x(at)).toFixed(1)}" y="${inset.top}" height="${height - inset.top - inset.bottom}" class="band"/>`;
  // Labels of neighbouring marks take turns in height, or they cover one another.
  const line = `<line x1="${from}" x2="${from}" y1="${inset.top - 4}" y2="${height - inset.bottom}" class="mark"/>`;
  return `${band}${line}<text x="${Number(from) + 4}" y="${inset.top + 8 + (n % 3) * 13}" class="mark">${escape(label)}</text>`;
}

/** Horizontal bars, longest first as given. */
export function bars(title: string, rows: readonly { name: string; value: number; color: string }[]): string {
  const most = Math.max(1, ...rows.map(({ value }) => value));
  const labels = 250;
  const drawn = rows.map(({ name, value, color }, n) => {
    const top = inset.top + n * 22;
    const length = Math.max(1, (value / most) * (width - labels - 90)).toFixed(1);
    return (
      `<text x="${labels - 8}" y="${top + 12}" text-anchor="end">${escape(name)}</text>` +
      `<rect x="${labels}" y="${top}" width="${length}" height="15" rx="2" fill="${color}"/>` +
      `<text x="${labels + Number(length) + 6}" y="${top + 12}">${value}</text>`
    );
  });
  return frame(title, drawn, '', inset.top + rows.length * 22 + 6);
}

function frame(title: string, content: readonly string[], below: string, tall = height): string {
  return (
    `<figure><figcaption>${escape(title)}</figcaption>` +
    `<svg viewBox="0 0 ${width} ${tall}" role="img" aria-label="${escape(title)}">${content.join('')}</svg>${below}</figure>`
  );
}

function legend(series: readonly Series[]): string {
  const keys = series.map(({ name, color }) => `<span><i style="background:${color}"></i>${escape(name)}</span>`);
  return `<p class="legend">${keys.join('')}</p>`;
}

/** The next of 1, 2, 5 times a power of ten. */
function ceiling(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value)!;
}

const number = (value: number): string => (value >= 10 || Number.isInteger(value) ? String(Math.round(value)) : value.toFixed(1));
