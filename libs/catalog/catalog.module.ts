// Catalog as Nest sees it: what others may use, what the api serves, what the worker runs.
import { Module } from '@nestjs/common';

@Module({ providers: [], exports: [] })
export class CatalogModule {}

@Module({ imports: [CatalogModule], controllers: [] })
export class CatalogApi {}

@Module({ imports: [CatalogModule], providers: [] })
export class CatalogWorker {}
