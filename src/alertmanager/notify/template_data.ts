/** A notification as templates see it: Alertmanager's Data, Alerts and KV with their methods. */
import {
  stringArg,
  stringList,
  TemplateList,
  TemplateMap,
  TemplateStruct,
  TemplateTime,
  type TemplateValue,
  templateFunction,
  zeroTimeMs,
} from '../../template/index.ts';
import type { Intent, NotifiedAlert } from '../notification_log.ts';
import type { NotificationPayload } from '../payload.ts';

type Pairs = readonly (readonly [string, string])[];

/** `alertname` first, then by name. */
function sortedPairs(record: Readonly<Record<string, string>>): Pairs {
  const rank = (name: string): string => (name === 'alertname' ? '0' : `1${name}`);
  return Object.entries(record).sort((a, b) => (rank(a[0]) < rank(b[0]) ? -1 : 1));
}

const names = (pairs: Pairs): TemplateList => stringList(pairs.map(([name]) => name));
const values = (pairs: Pairs): TemplateList => stringList(pairs.map(([, value]) => value));
const pairsText = (pairs: Pairs): string => pairs.map(([name, value]) => `${name}=${value}`).join(', ');

function pairList(pairs: Pairs): TemplateList {
  const items = pairs.map(
    ([name, value]) => new TemplateStruct('template.Pair', { Name: name, Value: value }),
  );
  return new TemplateList(items, {
    typeName: 'template.Pairs',
    methods: {
      Names: templateFunction(0, 0, () => names(pairs)),
      Values: templateFunction(0, 0, () => values(pairs)),
      String: templateFunction(0, 0, () => pairsText(pairs)),
    },
  });
}

/** A set of labels or annotations. */
function keyValues(record: Readonly<Record<string, string>>): TemplateMap {
  const pairs = sortedPairs(record);
  return new TemplateMap(new Map<string, TemplateValue>(pairs), {
    missing: '',
    typeName: 'template.KV',
    methods: {
      SortedPairs: templateFunction(0, 0, () => pairList(pairs)),
      Names: templateFunction(0, 0, () => names(pairs)),
      Values: templateFunction(0, 0, () => values(pairs)),
      String: templateFunction(0, 0, () => pairsText(pairs)),
      Remove: templateFunction(1, 1, (args) => {
        const list = args[0];
        const items = list instanceof TemplateList ? list.items : [];
        const removed = new Set(items.map((_, i) => stringArg(items, i)));
        return keyValues(Object.fromEntries(pairs.filter(([name]) => !removed.has(name))));
      }),
    },
  });
}

function alertStruct(alert: NotifiedAlert): TemplateStruct {
  return new TemplateStruct(
    'template.Alert',
    {
      Status: alert.endsAtMs === undefined ? 'firing' : 'resolved',
      Labels: keyValues(alert.labels),
      Annotations: keyValues(alert.annotations),
      StartsAt: new TemplateTime(alert.startsAtMs),
      EndsAt: new TemplateTime(alert.endsAtMs ?? zeroTimeMs),
      GeneratorURL: alert.generatorUrl,
      Fingerprint: alert.fingerprint,
    },
    {
      jsonNames: {
        Status: 'status',
        Labels: 'labels',
        Annotations: 'annotations',
        StartsAt: 'startsAt',
        EndsAt: 'endsAt',
        GeneratorURL: 'generatorURL',
        Fingerprint: 'fingerprint',
      },
    },
  );
}

function alertList(alerts: readonly NotifiedAlert[]): TemplateList {
  const only = (firing: boolean) =>
    templateFunction(0, 0, () =>
      alertList(alerts.filter((alert) => (alert.endsAtMs === undefined) === firing)),
    );
  return new TemplateList(alerts.map(alertStruct), {
    typeName: 'template.Alerts',
    methods: { Firing: only(true), Resolved: only(false) },
  });
}

/** `.` of notification templates. */
export function templateData(
  payload: NotificationPayload,
  alerts: readonly NotifiedAlert[],
  intent: Intent,
): TemplateStruct {
  return new TemplateStruct(
    '*template.Data',
    {
      Receiver: payload.receiver,
      Status: payload.status,
      Alerts: alertList(alerts),
      NotificationReason: intent.reason,
      GroupLabels: keyValues(payload.groupLabels),
      CommonLabels: keyValues(payload.commonLabels),
      CommonAnnotations: keyValues(payload.commonAnnotations),
      RouteLabels: keyValues({}),
      ExternalURL: payload.externalURL,
    },
    {
      jsonNames: {
        Receiver: 'receiver',
        Status: 'status',
        Alerts: 'alerts',
        NotificationReason: 'notification_reason',
        GroupLabels: 'groupLabels',
        CommonLabels: 'commonLabels',
        CommonAnnotations: 'commonAnnotations',
        RouteLabels: 'routeLabels',
        ExternalURL: 'externalURL',
      },
    },
  );
}
