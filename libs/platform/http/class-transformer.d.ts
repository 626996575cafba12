// class-transformer's store of decorators, which it uses itself and does not export from its front door.
declare module 'class-transformer/cjs/storage.js' {
  export { defaultMetadataStorage } from 'class-transformer/types/storage.js';
}
