/**
 * The webhook receiver: one POST of the version 4 message, or of a configured payload whose texts are templates.
 * The idempotency key goes along in a header, so that a receiver can recognise a repetition after a crash.
 */
import { readFile } from 'node:fs/promises';
import { parse as parseYaml } from 'yaml';
import { type Clock, errorText } from '../../base/index.ts';
import {
  alertmanagerFunctions,
  compileTemplate,
  type TemplateLibrary,
  type TemplateStruct,
} from '../../template/index.ts';
import type { WebhookConfig } from '../config.ts';
import type { NotifyRequest } from '../effects.ts';
import { NotifyError } from '../errors.ts';
import { type NotificationPayload, notificationPayload } from '../payload.ts';
import type { PostAnswer, PostClient } from './post_client.ts';
import { templateData } from './template_data.ts';

export const idempotencyHeader = 'X-Torchring-Idempotency-Key';

const depthMax = 50;
/** Reading YAML takes time of the square of a map's size; what is longer is a value only as JSON. */
const yamlLengthMax = 16 * 1024;

export interface WebhookDeps {
  readonly client: PostClient;
  readonly externalUrl: string;
  readonly clock: Clock;
  readonly library: TemplateLibrary | undefined;
}

type Expand = (text: string) => Promise<string>;

function expander(data: TemplateStruct, deps: WebhookDeps, signal: AbortSignal): Expand {
  const functions = alertmanagerFunctions(() => deps.clock.nowMs());
  const shared = deps.library === undefined ? {} : { library: deps.library };
  return async (text) =>
    text.includes('{{')
      ? compileTemplate(text, functions, { ...shared, name: 'webhook' }).execute(data, { signal })
      : text;
}

/** Texts are expanded, keys too; one that then reads as YAML of another type becomes that value. */
async function renderPayload(value: unknown, expand: Expand, depth = 0): Promise<unknown> {
  if (depth > depthMax) throw new Error(`payload is nested deeper than ${depthMax} levels`);
  if (typeof value === 'string') {
    const text = await expand(value);
    return inlineValue(text) ?? text;
  }
  if (Array.isArray(value)) {
    const items: unknown[] = [];
    for (const item of value) items.push(await renderPayload(item, expand, depth + 1));
    return items;
  }
  if (typeof value !== 'object' || value === null) return value;
  const pairs: [string, unknown][] = [];
  for (const [name, item] of Object.entries(value)) {
    pairs.push([await expand(name), await renderPayload(item, expand, depth + 1)]);
  }
  return Object.fromEntries(pairs);
}

/**
 * undefined: a plain text. Label values of anybody may stand in it, so there are no aliases, with which a value could hold
 * itself and could not be sent.
 */
function inlineValue(text: string): unknown {
  try {
    const value: unknown =
      text.length > yamlLengthMax
        ? JSON.parse(text)
        : parseYaml(text, { maxAliasCount: 0, logLevel: 'error' });
    return typeof value === 'string' || value === null ? undefined : value;
  } catch {
    // Neither YAML nor JSON: the text stands for itself.
    return undefined;
  }
}

async function targetUrl(config: WebhookConfig, expand: Expand): Promise<string> {
  const text = config.url === '' ? (await readFile(config.urlFile, 'utf8')).trim() : config.url;
  const url = await expand(text);
  if (!URL.canParse(url)) throw new Error('webhook URL is empty or no URL after templating');
  return url;
}

interface Prepared {
  readonly url: string;
  readonly body: string;
}

async function prepare(
  config: WebhookConfig,
  request: NotifyRequest,
  deps: WebhookDeps,
  signal: AbortSignal,
): Promise<Prepared> {
  const { intent } = request;
  const payload: NotificationPayload = notificationPayload(
    { ...intent, ...request },
    deps.externalUrl,
    config.maxAlerts,
  );
  const alerts = config.maxAlerts > 0 ? request.alerts.slice(0, config.maxAlerts) : request.alerts;
  const expand = expander(templateData(payload, alerts, intent), deps, signal);
  const message = config.payload === undefined ? payload : await renderPayload(config.payload, expand);
  return { url: await targetUrl(config, expand), body: `${JSON.stringify(message)}\n` };
}

async function post(
  config: WebhookConfig,
  prepared: Prepared,
  headers: Readonly<Record<string, string>>,
  deps: WebhookDeps,
  signal: AbortSignal,
): Promise<PostAnswer> {
  const own = new AbortController();
  const timer =
    config.timeoutMs > 0
      ? deps.clock.after(config.timeoutMs, () => own.abort(new Error('configured webhook timeout reached')))
      : undefined;
  try {
    const limited = AbortSignal.any([signal, own.signal]);
    return await deps.client.post(prepared.url, prepared.body, headers, limited);
  } catch (cause) {
    // The URL may hold a secret and stays out of the message.
    throw new NotifyError('other', true, `webhook: no answer: ${causeText(cause)}`, { cause });
  } finally {
    timer?.cancel();
  }
}

/** One attempt. Throws NotifyError, which says whether another may help. */
export async function sendWebhook(
  config: WebhookConfig,
  request: NotifyRequest,
  deps: WebhookDeps,
  signal: AbortSignal,
): Promise<void> {
  let prepared: Prepared;
  try {
    prepared = await prepare(config, request, deps, signal);
  } catch (cause) {
    throw new NotifyError('other', false, `webhook: ${errorText(cause)}`, { cause });
  }
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'Torchring',
    [idempotencyHeader]: request.intent.key,
  };
  const answer = await post(config, prepared, headers, deps, signal);
  const { status, text } = answer;
  if (status >= 200 && status < 300) return;
  const reason = status >= 500 ? 'serverError' : status >= 400 ? 'clientError' : 'other';
  const retry = status >= 500 || status === 429;
  throw new NotifyError(
    reason,
    retry,
    `webhook: unexpected status code ${status}${text === '' ? '' : `: ${text}`}`,
  );
}

function causeText(cause: unknown): string {
  return cause instanceof AggregateError ? cause.errors.map(errorText).join('; ') : errorText(cause);
}
