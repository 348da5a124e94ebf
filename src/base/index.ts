export { AssertionError, assert } from './assert.ts';
export { ByteFormatError, ByteReader, ByteWriter } from './bytes.ts';
export { type Clock, delay, systemClock, type Timer } from './clock.ts';
export { CodedError, errorText } from './errors.ts';
export { createLogger, type LogFormat, type Logger, type LogLevel, logLevels, silentLogger } from './log.ts';
export { forgetStart } from './memory.ts';
export { type Random, seededRandom, shuffle, systemRandom } from './random.ts';
