import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alertmanagerFunctions, stringList } from './alertmanager_functions.ts';
import { compileTemplate } from './compile.ts';
import { TemplateTime } from './time.ts';
import { TemplateMap, TemplateStruct } from './value.ts';

const startMs = Date.UTC(2024, 6, 4, 15, 4, 5, 120);
const functions = alertmanagerFunctions(() => startMs + 90_000);
const data = new TemplateStruct(
  'Alert',
  {
    StartsAt: new TemplateTime(startMs),
    Labels: TemplateMap.ofStrings([
      ['b', '<2>'],
      ['a', '1'],
    ]),
    Values: stringList(['x', 'y']),
  },
  { jsonNames: { StartsAt: 'startsAt', Labels: 'labels' } },
);

const cases: readonly (readonly [title: string, text: string, output: string])[] = [
  [
    'date with a Go layout',
    '{{ .StartsAt | date "Mon, 02 Jan 2006 15:04:05 MST" }}',
    'Thu, 04 Jul 2024 15:04:05 UTC',
  ],
  ['12 hour clock and milliseconds', '{{ date "3:04PM .000 _2 002" .StartsAt }}', '3:04PM .120  4 186'],
  ['tz moves to a zone', '{{ .StartsAt | tz "Europe/Paris" | date "15:04 -07:00" }}', '17:04 +02:00'],
  ['tz names zones', '{{ .StartsAt | tz "America/New_York" | date "15:04 MST" }}', '11:04 EDT'],
  [
    'since and humanizeDuration',
    '{{ since .StartsAt }} {{ since .StartsAt | humanizeDuration }}',
    '1m30s 1m 30s',
  ],
  [
    'toJson sorts keys and escapes',
    '{{ toJson .Labels }} {{ toJson . }}',
    '{"a":"1","b":"\\u003c2\\u003e"} {"startsAt":"2024-07-04T15:04:05.12Z","labels":{"a":"1","b":"\\u003c2\\u003e"},"Values":["x","y"]}',
  ],
  ['join and stringSlice', '{{ join "," (stringSlice "a" "b") }} {{ .Values.Join "-" }}', 'a,b x-y'],
  ['list, append, dict', '{{ append (list 1) 2 }} {{ (dict "k" "v").k }}', '[1 2] v'],
  ['title lowers the rest', '{{ title "hELLO wORLD" }}', 'Hello World'],
  ['trimSpace', '{{ trimSpace "  a " }}', 'a'],
  ['base64 in the URL alphabet', '{{ base64encode "a?>" }} {{ base64decode "YT8-" }}', 'YT8- a?>'],
  [
    'toDate',
    '{{ (toDate "2006-01-02" "2024-02-29").Unix }} {{ (toDate "2006-01-02" "x").IsZero }}',
    '1709164800 true',
  ],
];

for (const [title, text, output] of cases) {
  test(`notification templates: ${title}`, async () => {
    assert.equal(await compileTemplate(text, functions).execute(data), output);
  });
}

test('notification templates: an unknown zone is a clear error', async () => {
  const template = compileTemplate('{{ .StartsAt | tz "Mars/Base" }}', functions);
  await assert.rejects(template.execute(data), /unknown time zone Mars\/Base/);
});
