/** /api/v1/notifications, and the same live as server-sent events. */
import type { FastifyInstance } from 'fastify';
import type { Notification, PrometheusBackend } from '../backend.ts';
import { goJson } from '../go_json.ts';
import { sendData } from '../respond.ts';

/** Bytes that a listener may leave unread before it is let go. */
const unreadBytesMax = 64 * 1024;

/** The live ones end with the connection, or with 204 at once when there are too many listeners. */
export function registerNotificationRoutes(app: FastifyInstance, backend: PrometheusBackend): void {
  app.get('/notifications', (_request, reply) => sendData(reply, backend.notifications.list()));
  app.get('/notifications/live', (_request, reply) => {
    const { raw } = reply;
    const waiting: Notification[] = [];
    let isOpen = false;
    const tell = (notification: Notification): void => {
      if (!isOpen) waiting.push(notification);
      else if (raw.writableLength > unreadBytesMax) raw.destroy();
      else raw.write(`data: ${goJson(notification)}\n\n`);
    };
    const unsubscribe = backend.notifications.subscribe(tell);
    reply.headers({ 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
    if (unsubscribe === undefined) return reply.code(204).send();
    reply.hijack();
    raw.on('close', unsubscribe);
    raw.writeHead(200, Object.fromEntries(Object.entries(reply.getHeaders())) as Record<string, string>);
    raw.flushHeaders();
    isOpen = true;
    for (const notification of waiting) tell(notification);
    return reply;
  });
}
