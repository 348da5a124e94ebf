/** What can go wrong in discovery: bad lists of targets, and those who were asked for them. */
import { CodedError } from '../base/index.ts';

/** A list of target groups (file, HTTP answer) that is not one. */
export class BadTargetsError extends CodedError {
  override readonly name = 'BadTargetsError';
  constructor(message: string, options?: { cause?: unknown }) {
    super('bad_target_groups', message, options);
  }
}

/** No DNS server gave an answer that says anything about a name. */
export class DnsError extends CodedError {
  override readonly name = 'DnsError';
  constructor(message: string, options?: { cause?: unknown }) {
    super('dns_lookup', message, options);
  }
}

/** No list of targets came from a URL. */
export class HttpDiscoveryError extends CodedError {
  override readonly name = 'HttpDiscoveryError';
  constructor(message: string, options?: { cause?: unknown }) {
    super('http_discovery', message, options);
  }
}
