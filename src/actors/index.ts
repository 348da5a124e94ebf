export {
  type AlertLeaderMessage,
  type AlertsViewQuery,
  alertLeaderKind,
  alertLeaderMessages,
  alertLeaderProps,
} from './control/alert_leader_actor.ts';
export { controlProps, type Peers } from './control/control_actor.ts';
export { DiscoveryManager } from './control/discovery_manager.ts';
export { Gate } from './control/gate.ts';
export { LocalWorkers, type ShardExecution, type ShardWrite } from './control/local_workers.ts';
export { entryFor, restoreLog } from './control/notification_records.ts';
export { QueryMetrics } from './control/query_metrics.ts';
export { type QueryOrigin, type QueryRecord, QueryService } from './control/query_service.ts';
export { RuleManager } from './control/rule_manager.ts';
export { fromFlat } from './flat_labels.ts';
export type { StoreLayout } from './store_layout.ts';
export type {
  ControlMessage,
  IngestOutcome,
  LookupSpec,
  QueryLimits,
  QuerySpec,
  ReportFilter,
  ReportKind,
  SelectMessage,
  StoreAction,
  WorkerMessage,
} from './worker/messages.ts';
export type { FederateOutcome, RemoteReadPart, RemoteReadStart } from './worker/remote_messages.ts';
export { controlName, type WorkerSettings, workerName } from './worker/start_worker.ts';
export { loadWorker, type WorkerData, workerEntry } from './worker/worker_entry.ts';
