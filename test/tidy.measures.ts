// Rules of measure and manner (STYLE 6): how long, how many, which words, and what is kept out of the code.
import ts from 'typescript';
import type { Rule } from './tidy.structure.js';
import type { Source } from './tidy.source.js';

const isMigration = (s: Source) => s.path.includes('/migrations/');
const product = (sources: readonly Source[]) => sources.filter((s) => !s.isTest && /^(libs|apps)\//.test(s.path));

export const startsWithASentence: Rule = (sources) =>
  sources
    .filter((s) => {
      const [first, second] = s.text.replace(/^#!.*\n/, '').split('\n');
      return !/^\/\/ \S.{14,}/.test(first) || !/[.:?!]$/.test((second ?? '').startsWith('// ') ? '.' : first);
    })
    .map((s) => `${s.path}: its first line is no sentence that says what it is.`);

export const filesAreShort =
  (most = 300): Rule =>
  (sources) =>
    product(sources)
      .filter((s) => !isMigration(s) && s.lines > most)
      .map((s) => `${s.path} has ${s.lines} lines, more than ${most}.`);

export const functionsAreShort =
  (most = 60): Rule =>
  (sources) =>
    product(sources).flatMap((source) => {
      const found: string[] = [];
      if (isMigration(source)) return found; // Their length is SQL's.
      source.walk((node) => {
        if (!ts.isFunctionLike(node) || !('body' in node) || !node.body) return;
        const line = (at: number) => source.parsed.getLineAndCharacterOfPosition(at).line;
        const lines = line(node.end) - line(node.getStart()) + 1;
        if (lines > most) found.push(`${source.at(node)}: a function of ${lines} lines, more than ${most}.`);
      });
      return found;
    });

export const fewParameters =
  (most = 4, mostInConstructor = 7): Rule =>
  (sources) =>
    product(sources).flatMap((source) => {
      const found: string[] = [];
      source.walk((node) => {
        if (!ts.isFunctionLike(node) || !('parameters' in node)) return;
        // A handler's parameters are the parts of a request, each named by its decorator.
        const decorated = node.parameters.some((p) => ts.canHaveDecorators(p) && ts.getDecorators(p)?.length);
        const limit = ts.isConstructorDeclaration(node) ? mostInConstructor : decorated ? mostInConstructor : most;
        if (node.parameters.length > limit)
          found.push(`${source.at(node)}: ${node.parameters.length} parameters, more than ${limit}.`);
      });
      return found;
    });

/**
 * Contexts of many nouns, which stay flat all the same: no more files than this. Before a number here is raised, ask whether
 * the context is two.
 */
export const BIG_CONTEXTS: Record<string, number> = { 'libs/auth': 45, 'libs/booking': 60, 'libs/payments': 35 };

export const foldersAreSmall =
  (most = 30, bigger: Record<string, number> = {}): Rule =>
  (sources) => {
    const counts = new Map<string, number>();
    for (const s of product(sources)) {
      const folder = s.path.slice(0, s.path.lastIndexOf('/'));
      if (!isMigration(s)) counts.set(folder, (counts.get(folder) ?? 0) + 1);
    }
    return [...counts]
      .filter(([folder, n]) => n > (bigger[folder] ?? most))
      .map(([folder, n]) => `${folder} holds ${n} files, more than ${bigger[folder] ?? most}.`);
  };

export const noAny: Rule = (sources) =>
  sources.flatMap((source) => {
    const found: string[] = [];
    source.walk((node) => {
      if (node.kind === ts.SyntaxKind.AnyKeyword) found.push(`${source.at(node)} says any.`);
    });
    return found;
  });

/** Where the machine's own clock may be read. */
const CLOCKS = ['libs/kernel/time.ts', 'libs/platform/db/clock.ts'];

export const timeComesFromTheClock: Rule = (sources) =>
  product(sources)
    .filter((s) => !CLOCKS.includes(s.path))
    .flatMap((source) => {
      const found: string[] = [];
      source.walk((node) => {
        const bare = ts.isNewExpression(node) && node.expression.getText() === 'Date' && !node.arguments?.length;
        const now = ts.isPropertyAccessExpression(node) && node.getText() === 'Date.now';
        if (bare || now) found.push(`${source.at(node)} reads the machine's clock: inject Clock.`);
      });
      return found;
    });

/** Who reads the environment although it is no configuration, and why. */
const ENVIRONMENTS: Record<string, string> = {
  'libs/platform/http/server.ts': 'checks the whole environment first, and needs TRUST_PROXY before there is an application',
};

export const environmentIsConfiguration: Rule = (sources) =>
  product(sources)
    .filter((s) => !s.path.startsWith('libs/platform/config/') && !ENVIRONMENTS[s.path])
    .flatMap((source) => {
      const found: string[] = [];
      source.walk((node) => {
        if (ts.isPropertyAccessExpression(node) && node.getText() === 'process.env')
          found.push(`${source.at(node)} reads process.env: declare an @Env field in a config class.`);
      });
      return found;
    });

/** Variables that @Env and @SecretEnv name. */
export function environmentOf(sources: readonly Source[]): string[] {
  const names = new Set<string>();
  for (const source of product(sources))
    source.walk((node) => {
      if (!ts.isCallExpression(node) || !/^(Secret)?Env$/.test(node.expression.getText())) return;
      const [first] = node.arguments;
      if (first && ts.isStringLiteral(first)) names.add(first.text);
    });
  return [...names].sort();
}

/** Every variable of the configuration stands in `.env.example`, commented out or not. */
export const environmentIsExplained =
  (example: string): Rule =>
  (sources) =>
    environmentOf(sources)
      .filter((name) => !new RegExp(`^#? ?${name}(_FILE)?=`, 'm').test(example))
      .map((name) => `.env.example does not name ${name}.`);
