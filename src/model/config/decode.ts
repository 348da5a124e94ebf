// The decoder combinators under one name: other rooms write `decode.field('url', decode.string)`.
export {
  checked,
  field,
  inline,
  list,
  map,
  mapped,
  newerField,
  object,
  optional,
  optionalList,
  section,
} from './collections.ts';
export { decodeNode, mapEntry, nodeKind } from './decoder.ts';
export { countSet } from './http_client.ts';
export {
  anyValue,
  bool,
  byteSize,
  duration,
  filePath,
  float,
  fromText,
  goDuration,
  goDurationText,
  hidden,
  int,
  labelName,
  oneOf,
  regexPattern,
  secret,
  string,
  uint,
  url,
} from './scalars.ts';
