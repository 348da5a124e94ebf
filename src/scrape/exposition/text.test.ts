import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CodedError } from '../../base/index.ts';
import { ExpositionError } from '../errors.ts';
import { RecordingSink } from '../testing/fixtures.ts';
import { parseOpenMetrics } from './openmetrics.ts';
import { parseTextExposition } from './text.ts';

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

function parsed(text: string): string[] {
  const sink = new RecordingSink();
  parseTextExposition(encode(text), sink);
  return sink.lines;
}

const failure = (text: string): string => {
  try {
    parsed(text);
  } catch (error) {
    assert.ok(error instanceof ExpositionError);
    return error.message;
  }
  return 'no error';
};

test('names, labels, values and timestamps are read, blanks tolerated where the format tolerates them', () => {
  assert.deepEqual(
    parsed('a 1\n\n  b{} 2 123\nc{x="y",} -0\nd { x = "y" , z="w" }\t+Inf\t7\ne{a="b"}3\n:f:_9 1e-3'),
    [
      '["a"] 1',
      '["b"] 2 @123',
      '["c","x","y"] -0',
      '["d","x","y","z","w"] Infinity @7',
      '["e","a","b"] 3',
      '[":f:_9"] 0.001',
    ],
  );
});

test('escapes in values are undone, unknown ones stay, line feeds may be raw', () => {
  assert.deepEqual(parsed('a{x="q\\"b\\\\n\\nz\\t"} 1\nb{x="1\n2"} 2'), [
    `["a","x",${JSON.stringify('q"b\\n\nz\\t')}] 1`,
    '["b","x","1\\n2"] 2',
  ]);
});

test('quoted UTF-8 names stand inside the braces', () => {
  assert.deepEqual(parsed('{"größe.zahl","label.ü"="v"} 1\n{"x"} 2\nplain{"l l"="v"} 3'), [
    '["größe.zahl","label.ü","v"] 1',
    '["x"] 2',
    '["plain","l l","v"] 3',
  ]);
});

test('bucket bounds and quantiles become OpenMetrics floats, in their kind of family only', () => {
  const text =
    '# TYPE h histogram\nh_bucket{le="1"} 1\nh_bucket{le="1e6"} 1\nh_bucket{le="+Inf"} 1\n' +
    '# TYPE s summary\ns{quantile="0"} 1\ns{quantile="0.50"} 1\ns{le="1"} 1\n# TYPE g gauge\ng{le="1"} 1\n';
  assert.deepEqual(
    parsed(text).filter((line) => line.startsWith('[')),
    [
      '["h_bucket","le","1.0"] 1',
      '["h_bucket","le","1e+06"] 1',
      '["h_bucket","le","+Inf"] 1',
      '["s","quantile","0.0"] 1',
      '["s","quantile","0.5"] 1',
      '["s","le","1"] 1',
      '["g","le","1"] 1',
    ],
  );
});

test('metadata lines are told, other comments are skipped', () => {
  assert.deepEqual(
    parsed(
      '# HELP a Some \\n help\n# TYPE a counter\n#HELP b x\n# HELPb x\n# TYPE\n#\n# HELP c\n# HELP "d.e" x',
    ),
    ['help a: Some \\n help', 'type a: counter', 'help c: ', 'help d.e: x'],
  );
});

test('errors name the line and the reason', () => {
  const complaints: [string, string][] = [
    ['a 1\nb{x="y" 2\n', 'expected label name, got "2" ("INVALID") while parsing: "b{x=\\"y\\" 2"'],
    ['a\n', 'expected value after metric, got "\\n" ("INVALID") while parsing: "a\\n"'],
    ['a 1 -5\n', 'expected timestamp or new record, got "-" ("INVALID") while parsing: "a 1 -"'],
    [
      'a 1 5 6\n',
      'expected next entry after timestamp, got "6\\n" ("TIMESTAMP") while parsing: "a 1 5 6\\n"',
    ],
    ['a 0x1\n', 'strconv.ParseFloat: parsing "0x1": invalid syntax while parsing: "a 0x1"'],
    ['a 1\r\n', 'strconv.ParseFloat: parsing "1\\r": invalid syntax while parsing: "a 1\\r"'],
    ['a{x=1} 1\n', 'expected label value, got "1" ("INVALID") while parsing: "a{x=1"'],
    [
      'a{x="1} 1\n',
      'expected label value, got "\\"1} 1\\n\\n" ("INVALID") while parsing: "a{x=\\"1} 1\\n\\n"',
    ],
    ['{x="1"} 1\n', 'metric name not set while parsing: "{x=\\"1\\"} 1"'],
    ['{"a","b"} 1\n', 'metric name already set while parsing: "{\\"a\\",\\"b\\"}"'],
    ['a 1\n# TYPE a nonsense\n', 'invalid metric type "nonsense"'],
    ['1 1\n', 'expected a valid start token, got "1" ("INVALID") while parsing: "1"'],
  ];
  for (const [text, expected] of complaints) assert.equal(failure(text), expected, text);
  const invalid = Uint8Array.from([...encode('a{x="'), 0xff, ...encode('"} 1\n')]);
  assert.throws(() => parseTextExposition(invalid, new RecordingSink()), /invalid UTF-8 label value/);
});

test('every finite float that is written is read back bit for bit', () => {
  fc.assert(
    fc.property(
      fc.double({ noNaN: true, min: -1e307, max: 1e307 }),
      fc.integer({ min: 0, max: 20 }),
      (value, digits) => {
        for (const text of [String(value), value.toExponential(), value.toExponential(digits)]) {
          const line = text.replace('Infinity', 'Inf');
          assert.deepEqual(parsed(`a ${line}\n`), [
            `["a"] ${Object.is(Number(text), -0) ? '-0' : Number(text)}`,
          ]);
        }
      },
    ),
    { numRuns: 500 },
  );
});

test('arbitrary bytes never crash or hang, in either format', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      'a',
      '{',
      '}',
      '"',
      '\\',
      '=',
      ',',
      ' ',
      '\n',
      '# ',
      'TYPE ',
      'HELP ',
      '# EOF\n',
      '1',
      'le',
      '\t',
      '\0',
      'ü',
    ),
    fc.string({ maxLength: 4 }),
  );
  const bodies = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.array(piece, { maxLength: 60 }).map((parts) => encode(parts.join(''))),
  );
  fc.assert(
    fc.property(bodies, (body) => {
      for (const parse of [parseTextExposition, parseOpenMetrics]) {
        try {
          parse(body, new RecordingSink());
        } catch (error) {
          assert.ok(error instanceof CodedError, String(error));
        }
      }
    }),
    { numRuns: 3000 },
  );
});

test('a body of nothing but opening quotes or braces takes linear time', () => {
  for (const fill of ['{', '"', 'a{"', 'a 1 ', '\\', 'a{x="\\']) {
    const body = encode(fill.repeat(200_000));
    assert.throws(() => parseTextExposition(body, new RecordingSink()), ExpositionError);
    assert.throws(() => parseOpenMetrics(body, new RecordingSink()), ExpositionError);
  }
});
