export { type Connections, type HttpConnections, openDispatcher } from './dispatcher.ts';
export { requestErrorText } from './request_error.ts';
export { type OutgoingRequest, send } from './send.ts';
export { statusText } from './status.ts';
