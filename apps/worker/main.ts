// Starts the worker process: the same house, its own health and metrics, no public routes.
import 'reflect-metadata';
import { setPriority } from 'node:os';
import { PlatformConfig } from '../../libs/platform/config/platform.config.js';
import { makeServer } from '../../libs/platform/http/server.js';
import { serve } from '../../libs/platform/http/serve.js';
import { WorkerModule } from './worker.module.js';

await serve(
  'worker',
  () => makeServer(WorkerModule),
  (app) => {
    const { workerNice, workerPort } = app.get(PlatformConfig);
    setPriority(workerNice);
    return workerPort;
  },
);
