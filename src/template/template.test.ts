import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compileTemplate, TemplateLibrary, validateTemplate } from './compile.ts';
import { TemplateParseError } from './errors.ts';
import { formatExponential, formatFixed, formatGeneral } from './go_float.ts';
import { type PrometheusTemplateDeps, prometheusFunctions } from './prometheus_functions.ts';
import { TemplateList, TemplateMap, TemplateStruct, type TemplateValue } from './value.ts';

const deps: PrometheusTemplateDeps = {
  externalUrl: 'http://testhost:9090/path/prefix',
  timeMs: 1_000_000,
  query: (expr) =>
    expr === 'fail'
      ? Promise.reject(new Error('query refused'))
      : Promise.resolve([
          {
            labels: [
              ['__name__', 'metric'],
              ['instance', 'b'],
            ],
            value: 21,
          },
          {
            labels: [
              ['__name__', 'metric'],
              ['instance', 'a'],
            ],
            value: 11,
          },
        ]),
};
const functions = prometheusFunctions(deps);

const data = new TemplateStruct('data', {
  Labels: TemplateMap.ofStrings([
    ['instance', 'host:9100'],
    ['job', 'node'],
  ]),
  Value: 1234567.5,
  List: new TemplateList(['x', 'y', 'z']),
  Empty: new TemplateList([]),
  Nothing: null,
});

function render(text: string, dot: TemplateValue = data): Promise<string> {
  const template = compileTemplate(text, functions, { name: 't', variables: ['labels', 'value'] });
  const labels = data.fields.get('Labels') ?? null;
  return template.execute(dot, { variables: { labels, value: 0.75 } });
}

const cases: readonly (readonly [title: string, text: string, output: string])[] = [
  ['plain text', 'a {b} c', 'a {b} c'],
  ['string and raw string literals', '{{ "a\\tb\\u00e9" }}{{ `c\\d` }}', 'a\tbéc\\d'],
  [
    'int, float, char and bool literals',
    "{{ 1 }} {{ 1.50 }} {{ 0x10 }} {{ 'a' }} {{ true }}",
    '1 1.5 16 97 true',
  ],
  ['large floats print with an exponent, as %v does', '{{ .Value }}', '1.2345675e+06'],
  ['fields of maps and a missing key as empty text', '{{ .Labels.job }}|{{ .Labels.none }}|', 'node||'],
  ['variables given from outside', '{{ $labels.job }} {{ $value }}', 'node 0.75'],
  ['trim markers', 'a  {{- 1 -}}  b {{- /* c */ -}} d', 'a1bd'],
  ['comments vanish', 'a{{/* {{ b }} */}}c', 'ac'],
  ['if, else if, else', '{{ if eq 1 2 }}a{{ else if eq 1 1 }}b{{ else }}c{{ end }}', 'b'],
  [
    'with rebinds dot',
    '{{ with .Labels }}{{ .job }}{{ end }}{{ with .Empty }}x{{ else }}y{{ end }}',
    'nodey',
  ],
  ['else with', '{{ with .Empty }}x{{ else with .Labels }}{{ .job }}{{ end }}', 'node'],
  ['range with index and value', '{{ range $i, $e := .List }}{{ $i }}={{ $e }};{{ end }}', '0=x;1=y;2=z;'],
  [
    'range over a map goes in key order',
    '{{ range $k, $v := .Labels }}{{ $k }}:{{ $v }} {{ end }}',
    'instance:host:9100 job:node ',
  ],
  ['range else', '{{ range .Empty }}x{{ else }}none{{ end }}', 'none'],
  [
    'break and continue',
    '{{ range .List }}{{ if eq . "x" }}{{ continue }}{{ end }}{{ . }}{{ break }}{{ end }}',
    'y',
  ],
  [
    'assignment reaches the outer variable',
    '{{ $x := 1 }}{{ range .List }}{{ $x = . }}{{ end }}{{ $x }}',
    'z',
  ],
  [
    'a declared variable ends with its block',
    '{{ $x := 1 }}{{ if true }}{{ $x := 2 }}{{ end }}{{ $x }}',
    '1',
  ],
  ['pipelines pass their value last', '{{ "a" | printf "%s-%s" "b" }}', 'b-a'],
  ['parenthesized pipelines with fields', '{{ (index (query "x") 0).Labels.instance }}', 'b'],
  [
    'and, or return a value and stop early',
    '{{ or "" "x" }} {{ and 1 0 }} {{ or true (index .List 9) }}',
    'x 0 true',
  ],
  ['comparisons', '{{ lt 1 2 }} {{ ge 2.5 2.5 }} {{ ne "a" "b" }} {{ eq 1 2 3 1 }}', 'true true true true'],
  [
    'len, index, slice',
    '{{ len .List }} {{ index .List 1 }} {{ slice "abcdef" 1 3 }} {{ len "é" }}',
    '3 y bc 2',
  ],
  ['define and template', '{{ define "t2" }}<{{ . }}>{{ end }}{{ template "t2" .Labels.job }}', '<node>'],
  ['block', '{{ block "b" "v" }}[{{ . }}]{{ end }}', '[v]'],
  ['collections print like %v', '{{ .List }} {{ .Labels }}', '[x y z] map[instance:host:9100 job:node]'],
  ['nil prints as no value', '{{ .Nothing }}', '<no value>'],
  [
    'printf verbs',
    '{{ printf "%5.2f|%-4d|%04d|%x|%q|%t|%v%%" 3.14159 7 42 255 "a\\"b" true 1e21 }}',
    ' 3.14|7   |0042|ff|"a\\"b"|true|1e+21%',
  ],
  ['printf rounds ties to even', '{{ printf "%.2f %.1f %.4g" 0.125 0.25 12345.0 }}', '0.12 0.2 1.234e+04'],
  [
    'printf tells wrong, missing and extra operands',
    '{{ printf "%d %s" "x" }} {{ printf "a" 1 }}',
    '%!d(string=x) %!s(MISSING) a%!(EXTRA int=1)',
  ],
  ['printf picks operands by index', '{{ printf "%[2]d %[1]d %[3]d" 1 2 }}', '2 1 %!d(BADINDEX)'],
  [
    'printf pads, signs and bases',
    '{{ printf "%05d|%-5d|%#x|%+d|%08.3f|%*d" -42 -42 255 5 3.14159 4 7 }}',
    '-0042|-42  |0xff|+5|0003.142|   7',
  ],
  ['print puts blanks between operands that are no strings', '{{ print 1 2 "a" "b" 3 4.5 }}', '1 2ab3 4.5'],
  [
    'numbers switch to exponents as in Go',
    '{{ printf "%v %v %v %v" 100000.0 1000000.0 0.0001 0.00001 }}',
    '100000 1e+06 0.0001 1e-05',
  ],
  [
    'html, js, urlquery',
    '{{ html "<a&\\"" }} {{ urlquery "a b&c" }} {{ js "it\'s" }}',
    "&lt;a&amp;&#34; a+b%26c it\\'s",
  ],
  [
    'query, first, value, label',
    '{{ with query "m" }}{{ . | first | value }} {{ . | first | label "instance" }}{{ end }}',
    '21 b',
  ],
  [
    'sortByLabel',
    '{{ range query "m" | sortByLabel "instance" }}{{ .Labels.instance }}:{{ .Value }} {{ end }}',
    'a:11 b:21 ',
  ],
  [
    'humanize',
    '{{ humanize 0.0 }} {{ humanize 1234567.0 }} {{ humanize 0.00123 }} {{ humanize "1000" }} {{ humanize 1e30 }}',
    '0 1.235M 1.23m 1k 1e+06Y',
  ],
  [
    'humanize1024',
    '{{ humanize1024 1048576.0 }} {{ humanize1024 "-2048" }} {{ humanize1024 0.5 }}',
    '1Mi -2ki 0.5',
  ],
  [
    'humanizeDuration',
    '{{ humanizeDuration 0 }} {{ humanizeDuration 93784.0 }} {{ humanizeDuration 61 }} {{ humanizeDuration 1.2345 }} {{ humanizeDuration 0.0015 }}',
    '0s 1d 2h 3m 4s 1m 1s 1.234s 1.5ms',
  ],
  ['humanizePercentage', '{{ humanizePercentage 0.1234567 }}', '12.35%'],
  ['humanizeTimestamp', '{{ humanizeTimestamp 1435065584.128 }}', '2015-06-23 13:19:44.128 +0000 UTC'],
  [
    'toTime and its methods',
    '{{ (1435065584.128 | toTime).Format "2006-01-02T15:04:05Z07:00" }} {{ (toTime 0.0).Year }}',
    '2015-06-23T13:19:44Z 1970',
  ],
  [
    'toUpper, toLower, title',
    '{{ toUpper "aB" }} {{ toLower "aB" }} {{ title "aa bB CC" }}',
    'AB ab Aa BB CC',
  ],
  [
    'match and reReplaceAll',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: Go's group reference.
    '{{ match "b+" "abbc" }} {{ reReplaceAll "(a)(b*)" "$2-${1}x$$" "abb ab" }}',
    'true bb-ax$ b-ax$',
  ],
  [
    'links',
    '{{ graphLink "up == 0" }} {{ tableLink "up" }}',
    '/graph?g0.expr=up+%3D%3D+0&g0.tab=0 /graph?g0.expr=up&g0.tab=1',
  ],
  [
    'externalURL, pathPrefix',
    '{{ externalURL }} {{ pathPrefix }}',
    'http://testhost:9090/path/prefix /path/prefix',
  ],
  [
    'parseDuration, now',
    '{{ parseDuration "1h2m10s" }} {{ parseDuration "-1m" }} {{ now }}',
    '3730 -60 1000',
  ],
  ['stripPort', '{{ stripPort "a.b:80" }} {{ stripPort "[::1]:80" }} {{ stripPort "a" }}', 'a.b ::1 a'],
  [
    'stripDomain',
    '{{ stripDomain "host.example.com:80" }} {{ stripDomain "192.0.2.1:80" }} {{ stripDomain "h.x" }}',
    'host:80 192.0.2.1:80 h',
  ],
  ['args', '{{ with args 1 "b" }}{{ .arg0 }}{{ .arg1 }}{{ .arg2 }}{{ end }}', '1b<no value>'],
];

for (const [title, text, output] of cases) {
  test(`template: ${title}`, async () => assert.equal(await render(text), output));
}

const parseErrors: readonly (readonly [string, RegExp])[] = [
  ['{{ unknown 1 }}', /^template: t:1: function "unknown" not defined$/],
  ['a\n{{ $nope }}', /^template: t:2: undefined variable "\$nope"$/],
  ['{{ if true }}', /^template: t:1: unexpected EOF$/],
  ['{{ end }}', /unexpected \{\{end\}\}/],
  ['{{ "abc }}', /unterminated quoted string/],
  ['{{ ( 1 }}', /unclosed left paren/],
  ['{{', /unclosed action/],
  ['{{ }}', /missing value for command/],
  ['{{ 1 | 2 }}', /non executable command in pipeline stage 2/],
  ['{{ break }}', /\{\{break\}\} outside \{\{range\}\}/],
  ['{{/* a', /unclosed comment/],
  ['{{ & }}', /unexpected "&" in action/],
  ['{{ if true }}{{ define "x" }}{{ end }}{{ end }}', /unexpected \{\{define\}\}/],
];

for (const [text, message] of parseErrors) {
  test(`template: refused when compiled: ${JSON.stringify(text)}`, () => {
    assert.throws(() => validateTemplate(text, functions, { name: 't' }), {
      code: 'template_parse',
      message,
    });
  });
}

const executeErrors: readonly (readonly [string, RegExp])[] = [
  ['{{ .Nope }}', /^template: t:1: can't evaluate field Nope in type data$/],
  ['\n{{ eq 1 1.0 }}', /^template: t:2: error calling eq: incompatible types for comparison$/],
  ['{{ humanize "one" }}', /error calling humanize: strconv\.ParseFloat: parsing "one": invalid syntax/],
  ['{{ toUpper 1 }}', /error calling toUpper: wrong type for value; expected string; got int/],
  ['{{ first (query "m") "x" }}', /wrong number of args for first: want 1 got 2/],
  ['{{ query "fail" }}', /error calling query: query refused/],
  ['{{ template "none" }}', /template "none" not defined/],
  ['{{ match "(" "x" }}', /error parsing regexp/],
  ['{{ index .List 3 }}', /index out of range: 3/],
  ['{{ .Nothing.A }}', /nil data/],
];

for (const [text, message] of executeErrors) {
  test(`template: fails when expanded: ${JSON.stringify(text)}`, async () => {
    await assert.rejects(render(text), { code: 'template_execute', message });
  });
}

const hostile: readonly (readonly [string, string, RegExp])[] = [
  [
    'endless recursion',
    '{{ define "r" }}{{ template "r" . }}{{ end }}{{ template "r" . }}',
    /maximum template depth/,
  ],
  ['huge loops', '{{ range 1000000000 }}{{ end }}', /too many steps/],
  [
    'doubling text',
    '{{ $x := "xxxxxxxxxxxxxxxx" }}{{ range 100 }}{{ $x = print $x $x }}{{ end }}',
    /exceeds 1048576 characters/,
  ],
  [
    'doubling values',
    '{{ $x := args 1 }}{{ range 40 }}{{ $x = args $x $x }}{{ end }}{{ $x }}',
    /exceeds 1048576 characters/,
  ],
  ['many queries', '{{ range 1000 }}{{ $x := query "m" }}{{ end }}', /too many steps/],
  [
    'slow regular expressions',
    '{{ range 100000 }}{{ $x := match "(a*)*(b*)*c" (printf "%5000s" "a") }}{{ end }}',
    /too many steps/,
  ],
  ['output', '{{ range 100000 }}xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx{{ end }}', /exceeds 1048576 characters/],
];

for (const [title, text, message] of hostile) {
  test(`template: a hostile template is stopped: ${title}`, { timeout: 5000 }, async () => {
    await assert.rejects(render(text), { message });
  });
}

test('template: deep nesting is refused instead of overflowing the stack', () => {
  const text = `${'{{ if true }}'.repeat(5000)}${'{{ end }}'.repeat(5000)}`;
  assert.throws(() => compileTemplate(text, functions), /nested deeper than/);
  assert.throws(
    () => compileTemplate(`{{ ${'('.repeat(5000)}1${')'.repeat(5000)} }}`, functions),
    /nested deeper than/,
  );
});

test('template: a library shares definitions; later files replace earlier ones', async () => {
  const library = new TemplateLibrary(functions);
  library.add('a.tmpl', '{{ define "x" }}one{{ end }}{{ define "y" }}{{ template "x" }}!{{ end }}');
  library.add('b.tmpl', '{{ define "x" }}two{{ end }}');
  assert.equal(await compileTemplate('{{ template "y" . }}', functions, { library }).execute(null), 'two!');
});

test('template: an aborted signal ends the expansion at the next function call', async () => {
  const template = compileTemplate('{{ toUpper "a" }}', functions);
  await assert.rejects(
    template.execute(null, { signal: AbortSignal.abort(new Error('stopped')) }),
    /stopped/,
  );
});

test('template: any text compiles or is refused with a position, never anything else', () => {
  const piece = fc.constantFrom(
    '{{',
    '}}',
    '{{-',
    ' -}}',
    'if',
    'end',
    'range',
    '.a',
    '$x',
    ':=',
    '"',
    '`',
    '(',
    ')',
    '|',
    ' ',
    '1',
    "'",
    '/*',
    'define',
    'x',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      try {
        compileTemplate(pieces.join(''), functions);
      } catch (error) {
        assert.ok(error instanceof TemplateParseError, String(error));
      }
    }),
    { numRuns: 2000 },
  );
});

test('floats: shortest forms read back the same value', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      assert.equal(Number(formatGeneral(value, -1)), value);
      assert.equal(Number(formatFixed(value, -1)), value);
      assert.equal(Number(formatExponential(value, -1)), value);
    }),
  );
});

test("literals are Go's: byte escapes make UTF-8, runes their code, bad ones are refused when compiled", async () => {
  const run = (text: string): Promise<string> => compileTemplate(text, functions).execute('');
  assert.equal(await run('{{ "\\xc3\\xa4 \\303\\244 \\u00e4" }}'), 'ä ä ä');
  assert.equal(await run("{{ '\\xff' }} {{ 'ä' }} {{ 0x1F }} {{ 0b11 }}"), '255 228 31 3');
  for (const bad of ['"\\ud800"', '"\\400"', '0x', '0b2', '0o8', "'ab'"]) {
    assert.throws(() => compileTemplate(`{{ ${bad} }}`, functions), TemplateParseError, bad);
  }
});

test('%q quotes as Go does', async () => {
  const text = await compileTemplate('{{ printf "%q" . }}', functions).execute('a\u200b\u007f\u0007"');
  assert.equal(text, '"a\\u200b\\x7f\\a\\""');
});

test("fields are the data's own: what JavaScript gives to every object can't be reached", async () => {
  for (const name of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) {
    const run = compileTemplate(`{{ (toTime 1.0).${name} }}`, functions).execute('');
    await assert.rejects(run, {
      name: 'TemplateExecuteError',
      message: new RegExp(`evaluate field ${name} `),
    });
  }
});

test('durations beyond 64 bits of nanoseconds are the longest there is', async () => {
  const run = (text: string): Promise<string> => compileTemplate(text, functions).execute('');
  assert.equal(await run('{{ toDuration 1e300 }}'), '2562047h47m16.854775807s');
  assert.equal(await run('{{ toDuration -1e10 }}'), '-2562047h47m16.854775808s');
  assert.equal(await run('{{ toDuration 1e9 }}'), '277777h46m40s');
});
