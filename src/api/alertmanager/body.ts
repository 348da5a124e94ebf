/** Bodies posted to the API: JSON, and of the form that its schema asks for; what the values mean is the backend's. */
import type { FastifyRequest } from 'fastify';
import { errorText } from '../../base/index.ts';
import { goJson } from '../go_json.ts';
import { SchemaError } from './respond.ts';

type Fields = Readonly<Record<string, unknown>>;

/** The parsed body. Throws SchemaError; `name` is the body's in messages. */
function jsonBody(request: FastifyRequest, name: string): unknown {
  const bytes = request.body instanceof Uint8Array ? request.body : new Uint8Array(0);
  if (bytes.length === 0) throw missing(name);
  const { 'content-type': contentType = 'application/octet-stream' } = request.headers;
  const media = contentType.split(';')[0]?.trim().toLowerCase() ?? '';
  if (media !== 'application/json') {
    const message = `unsupported media type ${goJson(media)}, only [application/json] are allowed`;
    throw new SchemaError(415, 415, message);
  }
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    throw unreadable(name, errorText(error));
  }
}

function missing(path: string): SchemaError {
  return new SchemaError(422, 602, `${path} in body is required`);
}

function unreadable(name: string, reason: string): SchemaError {
  return new SchemaError(400, 400, `parsing ${name} body from "" failed, because ${reason}`);
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isTexts(value: unknown): boolean {
  return isFields(value) && Object.values(value).every((text) => typeof text === 'string');
}

/** As Go's ParseRequestURI: absolute, or a path from the root. */
const uri = /^(?:\/|[a-zA-Z][a-zA-Z0-9+.-]*:)/;

function checkAlert(alert: unknown, index: number): void {
  if (!isFields(alert)) throw unreadable('alerts', `alert ${index} is not an object`);
  const { labels, annotations = {}, generatorURL = '' } = alert;
  if (labels === undefined || labels === null) throw missing(`${index}.labels`);
  if (!isTexts(labels)) throw unreadable('alerts', `labels of alert ${index} are not all strings`);
  if (annotations !== null && !isTexts(annotations)) {
    throw unreadable('alerts', `annotations of alert ${index} are not all strings`);
  }
  if (typeof generatorURL === 'string' && generatorURL !== '' && !uri.test(generatorURL)) {
    const message = `${index}.generatorURL in body must be of type uri: ${goJson(generatorURL)}`;
    throw new SchemaError(422, 601, message);
  }
}

/** The body of POST /alerts. Throws SchemaError. */
export function alertsBody(request: FastifyRequest): readonly unknown[] {
  const alerts = jsonBody(request, 'alerts') ?? [];
  if (!Array.isArray(alerts)) throw unreadable('alerts', 'it is not a list of alerts');
  for (const [index, alert] of alerts.entries()) checkAlert(alert, index);
  return alerts;
}

/** In the order in which the real one looks at them. */
const silenceFields = ['comment', 'createdBy', 'endsAt', 'matchers', 'startsAt'];
const matcherFields = ['isRegex', 'name', 'value'];

function checkMatchers(matchers: unknown): void {
  if (!Array.isArray(matchers)) throw unreadable('silence', 'matchers is not a list');
  if (matchers.length === 0) throw new SchemaError(422, 612, 'matchers in body should have at least 1 items');
  for (const [index, matcher] of matchers.entries()) {
    if (!isFields(matcher)) throw unreadable('silence', `matcher ${index} is not an object`);
    for (const field of matcherFields) {
      if ((matcher[field] ?? undefined) === undefined) throw missing(`matchers.${index}.${field}`);
    }
  }
}

/** The body of POST /silences. Throws SchemaError. */
export function silenceBody(request: FastifyRequest): Fields {
  const silence = jsonBody(request, 'silence') ?? {};
  if (!isFields(silence)) throw unreadable('silence', 'it is not an object');
  for (const field of silenceFields) {
    if ((silence[field] ?? undefined) === undefined) throw missing(field);
    if (field === 'matchers') checkMatchers(silence[field]);
    else if (typeof silence[field] !== 'string') throw unreadable('silence', `${field} is not a string`);
  }
  return silence;
}
