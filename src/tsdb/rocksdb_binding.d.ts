/** The RocksDB binding comes without types; src/tsdb/rocks_engine.ts says what it uses of it. */
declare module '@nxtedition/rocksdb' {
  const RocksLevel: import('./rocks_engine.ts').RocksBinding['RocksLevel'];

  export { RocksLevel };
}
