/**
 * Tokens for `oauth2`: the client credentials grant (RFC 6749, section 4.4) and the JWT bearer grant (RFC 7523, section 2.1).
 * A token serves until shortly before it expires, or until the secret's file changes.
 */
import { createPrivateKey, randomUUID, sign } from 'node:crypto';
import { type Clock, errorText, systemClock } from '../base/index.ts';
import type { OAuth2Config } from '../model/index.ts';
import { openDispatcher } from './dispatcher.ts';
import { readSecret } from './secret.ts';
import { statusText } from './status.ts';
import { loadUndici } from './undici.ts';

const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
/** So long before its end a token is not used any more. */
const expiryMarginMs = 10_000;
const assertionSeconds = 600;
const tokenBytesMax = 1 << 20;
const connections = { perOriginMax: 1, idleMs: 10_000, connectTimeoutMs: 10_000 };
const shownBytesMax = 1000;

interface Token {
  /** `Bearer abc`: the value of the header. */
  readonly header: string;
  /** On the monotonic clock. */
  readonly expiresMs: number;
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

const sources = new WeakMap<OAuth2Config, TokenSource>();

/** The value of `authorization`; rejects with an Error when no token is to be had. */
export function oauth2Header(config: OAuth2Config, signal: AbortSignal): Promise<string> {
  let source = sources.get(config);
  if (source === undefined) {
    source = new TokenSource(config, systemClock);
    sources.set(config, source);
  }
  return source.header(signal);
}

export class TokenSource {
  readonly #config: OAuth2Config;
  readonly #clock: Clock;
  #secret: string | undefined;
  #token: Token | undefined;
  #fetching: Promise<Token> | undefined;
  /** Where the server wants the client's name and secret; found out at the first token. */
  #style: 'header' | 'body' | undefined;

  constructor(config: OAuth2Config, clock: Clock) {
    this.#config = config;
    this.#clock = clock;
  }

  async header(signal: AbortSignal): Promise<string> {
    const secret = await this.#readSecret();
    if (secret !== this.#secret) {
      this.#secret = secret;
      this.#token = undefined;
      this.#fetching = undefined;
    }
    const nowMs = this.#clock.monotonicMs();
    if (this.#token !== undefined && nowMs < this.#token.expiresMs - expiryMarginMs)
      return this.#token.header;
    // One request serves all who wait; whoever began it ends it.
    this.#fetching ??= this.#fetch(secret, signal).finally(() => {
      this.#fetching = undefined;
    });
    this.#token = await this.#fetching;
    return this.#token.header;
  }

  async #readSecret(): Promise<string> {
    const config = this.#config;
    const [file, inline] =
      config.grantType === jwtBearer
        ? [config.clientCertificateKeyFile, config.clientCertificateKey]
        : [config.clientSecretFile, config.clientSecret];
    try {
      return file === '' ? inline : await readSecret(file);
    } catch (cause) {
      throw new Error(`unable to read oauth2 client secret: ${errorText(cause)}`, { cause });
    }
  }

  async #fetch(secret: string, signal: AbortSignal): Promise<Token> {
    const form = this.#form(secret);
    if (this.#config.grantType === jwtBearer) return this.#tokenOf(await this.#post(form, {}, signal));
    let answer = await this.#ask(form, secret, this.#style ?? 'header', signal);
    if (this.#style === undefined) {
      if (isSuccess(answer)) this.#style = 'header';
      else {
        answer = await this.#ask(form, secret, 'body', signal);
        if (isSuccess(answer)) this.#style = 'body';
      }
    }
    return this.#tokenOf(answer);
  }

  #form(secret: string): URLSearchParams {
    const { scopes, endpointParams, grantType } = this.#config;
    const isJwt = grantType === jwtBearer;
    const form = new URLSearchParams({ grant_type: isJwt ? jwtBearer : 'client_credentials' });
    if (isJwt) form.set('assertion', this.#assertion(secret));
    if (scopes.length > 0) form.set('scope', scopes.join(' '));
    for (const [name, value] of Object.entries(endpointParams)) {
      if (form.has(name) && name !== 'grant_type') {
        throw new Error(`oauth2: cannot overwrite parameter ${JSON.stringify(name)}`);
      }
      form.set(name, value);
    }
    return form;
  }

  #assertion(key: string): string {
    const config = this.#config;
    const algorithm = config.signatureAlgorithm || 'RS256';
    const keyId = config.clientCertificateKeyId;
    const issuedAt = Math.floor(this.#clock.nowMs() / 1000);
    const header = { alg: algorithm, typ: 'JWT', ...(keyId === '' ? {} : { kid: keyId }) };
    const claims = {
      iss: config.iss || config.clientId,
      sub: config.clientId,
      jti: randomUUID(),
      aud: config.audience || config.tokenUrl,
      iat: issuedAt,
      exp: issuedAt + assertionSeconds,
      ...(config.scopes.length > 0 ? { scope: config.scopes.join(' ') } : {}),
      ...config.claims,
    };
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const signed = `${part(header)}.${part(claims)}`;
    const hash = `RSA-SHA${algorithm.slice(2)}`;
    const signature = sign(hash, Buffer.from(signed), createPrivateKey(key)).toString('base64url');
    return `${signed}.${signature}`;
  }

  #ask(
    form: URLSearchParams,
    secret: string,
    style: 'header' | 'body',
    signal: AbortSignal,
  ): Promise<Answer> {
    const id = this.#config.clientId;
    if (style === 'body') {
      const whole = new URLSearchParams(form);
      whole.set('client_id', id);
      if (secret !== '') whole.set('client_secret', secret);
      return this.#post(whole, {}, signal);
    }
    const credentials = `${encodeURIComponent(id)}:${encodeURIComponent(secret)}`;
    const authorization = `Basic ${Buffer.from(credentials).toString('base64')}`;
    return this.#post(form, { authorization }, signal);
  }

  async #post(
    form: URLSearchParams,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<Answer> {
    const url = new URL(this.#config.tokenUrl);
    // Tokens last: connections to their server need not.
    const opened = await openDispatcher({ ...this.#config, enableHttp2: true }, connections);
    try {
      const { request } = await loadUndici();
      const response = await request(url, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' },
        body: form.toString(),
        dispatcher: await opened.dispatcher(url),
        signal,
      });
      const chunks: Uint8Array[] = [];
      let length = 0;
      for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
        length += chunk.length;
        if (length > tokenBytesMax) throw new Error('the answer is too long');
        chunks.push(chunk);
      }
      return { status: response.statusCode, text: Buffer.concat(chunks).toString() };
    } catch (cause) {
      throw new Error(`oauth2: cannot fetch token: ${errorText(cause)}`, { cause });
    } finally {
      await opened.destroy();
    }
  }

  #tokenOf(answer: Answer): Token {
    if (!isSuccess(answer)) {
      const status = statusText(answer.status);
      const shown = answer.text.slice(0, shownBytesMax);
      throw new Error(`oauth2: cannot fetch token: ${status}\nResponse: ${shown}`);
    }
    const { access_token, token_type, expires_in } = parsedToken(answer.text);
    if (typeof access_token !== 'string' || access_token === '') {
      throw new Error('oauth2: server response missing access_token');
    }
    const type = typeof token_type === 'string' && token_type !== '' ? token_type : 'Bearer';
    const seconds = Number(expires_in ?? 0);
    return {
      header: `${type.toLowerCase() === 'bearer' ? 'Bearer' : type} ${access_token}`,
      expiresMs: seconds > 0 ? this.#clock.monotonicMs() + seconds * 1000 : Number.POSITIVE_INFINITY,
    };
  }
}

const isSuccess = ({ status }: Answer): boolean => status >= 200 && status < 300;

function parsedToken(text: string): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null) return parsed as Record<string, unknown>;
  } catch (cause) {
    throw new Error(`oauth2: cannot parse json: ${errorText(cause)}`, { cause });
  }
  throw new Error('oauth2: cannot parse json: no object');
}
