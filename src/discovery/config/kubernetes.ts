// `kubernetes_sd_configs`.
import { errorText } from '../../base/index.ts';
import {
  type Decoder,
  decode,
  type HttpClientConfig,
  httpClient,
  type ObjectDecoder,
  type Report,
} from '../../model/index.ts';
import { checkFieldSelector, checkLabelSelector } from './kubernetes_selectors.ts';
import { mechanism } from './mechanism.ts';

const { field, newerField, string, bool, list } = decode;

const roles = ['node', 'pod', 'service', 'endpoints', 'endpointslice', 'ingress'] as const;
export type KubernetesRole = (typeof roles)[number];

export interface KubernetesSelector {
  readonly role: KubernetesRole | undefined;
  readonly label: string;
  readonly field: string;
}

export interface KubernetesSdConfig {
  readonly mechanism: 'kubernetes';
  /** Empty: the API server of the cluster that this process runs in. */
  readonly apiServer: string;
  readonly role: KubernetesRole | undefined;
  readonly kubeconfigFile: string;
  readonly namespaces: { readonly ownNamespace: boolean; readonly names: readonly string[] };
  readonly selectors: readonly KubernetesSelector[];
  readonly attachMetadata: {
    readonly node: boolean;
    readonly namespace: boolean;
    readonly deployment: boolean;
    readonly job: boolean;
    readonly cronjob: boolean;
  };
  readonly httpClientConfig: HttpClientConfig;
}

const role: Decoder<KubernetesRole | undefined> = decode.oneOf(
  roles,
  (text) => `unknown Kubernetes SD role "${text}"`,
);

const namespaces = decode.object<KubernetesSdConfig['namespaces']>({
  ownNamespace: field('own_namespace', bool),
  names: field('names', list(string)),
});

const selector = decode.object<KubernetesSelector>({
  role: field('role', role),
  label: field('label', string),
  field: field('field', string),
});

const attachMetadata = decode.object<KubernetesSdConfig['attachMetadata']>({
  node: field('node', bool),
  namespace: newerField('namespace', bool),
  deployment: newerField('deployment', bool),
  job: newerField('job', bool),
  cronjob: newerField('cronjob', bool),
});

const client = httpClient();
const defaultClient = JSON.stringify(client.initial());

export const kubernetesSd: ObjectDecoder<KubernetesSdConfig> = mechanism<KubernetesSdConfig>(
  'kubernetes',
  {
    apiServer: field('api_server', decode.url),
    role: field('role', role),
    kubeconfigFile: field('kubeconfig_file', decode.filePath),
    namespaces: field('namespaces', namespaces, namespaces.initial()),
    selectors: field('selectors', list(selector)),
    attachMetadata: field('attach_metadata', attachMetadata, attachMetadata.initial()),
    httpClientConfig: decode.inline(client),
  },
  (config, report, scope) => {
    if (config.role === undefined) {
      report('role missing (one of: pod, service, endpoints, endpointslice, node, ingress)', 'role');
    }
    checkAccess(config, report);
    checkSelectors(config, scope?.context.compatibility !== '3.5', report);
  },
);

type Checked = Omit<KubernetesSdConfig, 'mechanism'>;

function checkAccess(config: Checked, report: Report): void {
  const custom = JSON.stringify(config.httpClientConfig) !== defaultClient;
  if (config.apiServer !== '' && config.kubeconfigFile !== '') {
    report("cannot use 'kubeconfig_file' and 'api_server' simultaneously", 'kubeconfig_file');
  }
  if (config.kubeconfigFile !== '' && custom) {
    report(
      "cannot use a custom HTTP client configuration together with 'kubeconfig_file'",
      'kubeconfig_file',
    );
  }
  if (config.apiServer === '' && config.kubeconfigFile === '' && custom) {
    report("to use custom HTTP client configuration please provide the 'api_server' URL explicitly");
  }
  if (config.namespaces.ownNamespace && config.apiServer !== '') {
    report("cannot use 'api_server' and 'namespaces.own_namespace' simultaneously", 'namespaces');
  }
  if (config.namespaces.ownNamespace && config.kubeconfigFile !== '') {
    report("cannot use 'kubeconfig_file' and 'namespaces.own_namespace' simultaneously", 'namespaces');
  }
}

const selectable: Readonly<Record<KubernetesRole, readonly KubernetesRole[]>> = {
  pod: ['pod'],
  service: ['service'],
  endpointslice: ['pod', 'service', 'endpointslice'],
  endpoints: ['pod', 'service', 'endpoints'],
  node: ['node'],
  ingress: ['ingress'],
};

/** After 3.5 pods can be chosen by their node too. */
function checkSelectors(config: Checked, byNode: boolean, report: Report): void {
  if (config.role === undefined) return;
  const allowed = [
    ...selectable[config.role],
    ...(byNode && config.role === 'pod' ? (['node'] as const) : []),
  ];
  const seen = new Set<string>();
  for (const { role: of = '' as const, label, field: fieldText } of config.selectors) {
    if (seen.has(of)) report(`duplicated selector role: ${of}`, 'selectors');
    seen.add(of);
    if (of === '' || !allowed.includes(of)) {
      report(`${config.role} role supports only ${allowed.join(', ')} selectors`, 'selectors');
    }
    try {
      checkFieldSelector(fieldText);
      checkLabelSelector(label);
    } catch (error) {
      report(errorText(error), 'selectors');
    }
  }
}
