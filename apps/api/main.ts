// Starts the api process.
import 'reflect-metadata';
import { PlatformConfig } from '../../libs/platform/config/platform.config.js';
import { makeServer } from '../../libs/platform/http/server.js';
import { serve } from '../../libs/platform/http/serve.js';
import { ApiModule } from './api.module.js';

await serve(
  'api',
  () => makeServer(ApiModule),
  (app) => app.get(PlatformConfig).port,
);
