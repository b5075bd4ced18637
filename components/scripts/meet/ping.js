// Whether Meet answers. By address: Node takes `localhost` for ::1, where nothing listens. Every HTTP path wants the
// token, which a probe of the kubelet would have to show in the pod's spec.
const { LISTENING_PORT, AUTH_TOKEN } = process.env;
const ping = { host: '127.0.0.1', port: LISTENING_PORT, path: '/meetmedia/api/ping', headers: { 'X-Auth-Token': AUTH_TOKEN } };
require('http')
  .get(ping, answer => process.exit(answer.statusCode === 200 ? 0 : 1))
  .on('error', () => process.exit(1));
