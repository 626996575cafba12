// How the long fault runs run: those of test/faults only, one at a time, since each kills servers and measures.
import { defineConfig } from 'vitest/config';
import base from '../vitest.config.js';

const { test, ...rest } = base as { test: Record<string, unknown> };

export default defineConfig({
  ...rest,
  test: {
    ...test,
    include: ['test/faults/**/*.spec.ts'],
    exclude: ['**/node_modules/**', 'dist/**'],
    fileParallelism: false,
    testTimeout: 900_000,
    hookTimeout: 300_000,
  },
} as never);
