// The sources as the tidy rules see them: files by path, parsed by TypeScript itself, with what each imports.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, posix } from 'node:path';
import ts from 'typescript';

export interface Import {
  /** `libs/auth/auth.port.ts` for a file of ours, `pg` for a package. */
  target: string;
  names: string[];
  /** Gone at run time. */
  typeOnly: boolean;
}

/** One file. Parsed when first asked for. */
export class Source {
  private tree?: ts.SourceFile;
  private found?: Import[];

  constructor(
    readonly path: string,
    readonly text: string,
  ) {}

  get parsed(): ts.SourceFile {
    return (this.tree ??= ts.createSourceFile(this.path, this.text, ts.ScriptTarget.ES2023, true));
  }

  /** `libs/booking` -> `booking`, `apps/api/x.ts` -> `apps`. */
  get room(): string {
    const [top, second] = this.path.split('/');
    return top === 'libs' ? second : top;
  }

  get name(): string {
    return posix.basename(this.path);
  }

  get isTest(): boolean {
    return /\.(spec|setup|bench)\.ts$/.test(this.path) || this.path.startsWith('test/');
  }

  get lines(): number {
    return this.text.replace(/\n$/, '').split('\n').length;
  }

  get imports(): Import[] {
    return (this.found ??= importsOf(this));
  }

  at(node: ts.Node): string {
    return `${this.path}:${this.parsed.getLineAndCharacterOfPosition(node.getStart()).line + 1}`;
  }

  /** Calls back for every node. */
  walk(visit: (node: ts.Node) => void): void {
    const step = (node: ts.Node): void => {
      visit(node);
      ts.forEachChild(node, step);
    };
    step(this.parsed);
  }
}

function importsOf(source: Source): Import[] {
  const found: Import[] = [];
  const add = (text: string, names: string[], typeOnly: boolean) =>
    found.push({
      target: text.startsWith('.') ? posix.join(posix.dirname(source.path), text).replace(/\.js$/, '.ts') : text,
      names,
      typeOnly,
    });
  source.walk((node) => {
    if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
      const clause = node.importClause;
      const bindings = clause?.namedBindings;
      const list = bindings && ts.isNamedImports(bindings) ? [...bindings.elements] : [];
      const names = list.map((e) => (e.propertyName ?? e.name).text);
      const star = bindings && ts.isNamespaceImport(bindings);
      const whole = Boolean(clause?.name || star);
      const typeOnly = Boolean(clause?.isTypeOnly) || (!whole && list.length > 0 && list.every((e) => e.isTypeOnly));
      add(node.moduleSpecifier.text, whole ? [...names, '*'] : names, typeOnly);
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier && ts.isStringLiteral(node.moduleSpecifier)) {
      add(node.moduleSpecifier.text, ['*'], node.isTypeOnly);
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [argument] = node.arguments;
      if (argument && ts.isStringLiteral(argument)) add(argument.text, ['*'], false);
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument) && ts.isStringLiteral(node.argument.literal)) {
      add(node.argument.literal.text, [], true);
    }
  });
  return found;
}

/** The sources below some folders of a root, in order of their paths. */
export function readSources(root: string, tops: readonly string[]): Source[] {
  const walk = (path: string): string[] =>
    statSync(join(root, path)).isDirectory()
      ? readdirSync(join(root, path)).flatMap((name) => (name === 'node_modules' ? [] : walk(posix.join(path, name))))
      : [path];
  return tops
    .flatMap(walk)
    .filter((path) => /\.(ts|mjs)$/.test(path))
    .sort()
    .map((path) => new Source(path, readFileSync(join(root, path), 'utf8')));
}
