// A stand-in for Meet: the token on every request, rooms, the signalling upgrade, webhooks, and the media ports.
// Media ports echo, so that a client sees whether packets come through.
'use strict';
const crypto = require('crypto');
const dgram = require('dgram');
const http = require('http');
const https = require('https');
const net = require('net');

const env = process.env;
const FIRST_MEDIA_PORT = 44444;
const workers = Number(env.MEDIASOUP_NUM_WORKERS);
const listen = env.WEBRTC_LISTEN_IP;
const rooms = new Map();

for (let port = FIRST_MEDIA_PORT; port < FIRST_MEDIA_PORT + workers; port++) {
  const udp = dgram.createSocket('udp4');
  udp.on('message', (data, peer) => udp.send(data, peer.port, peer.address));
  udp.bind(port, listen);
  net.createServer((socket) => { socket.on('error', () => {}); socket.pipe(socket); }).listen(port, listen);
}

// Tells the web application about a room; answers with the status it got.
function webhook(event, roomId) {
  return new Promise((resolve) => {
    const url = new URL(env.WEBHOOK_URL);
    const body = JSON.stringify({ event, roomId });
    const headers = { 'X-Auth-Token': env.WEBHOOK_TOKEN, 'Content-Type': 'application/json', 'Content-Length': body.length };
    const agent = url.protocol === 'https:' ? https : http;
    const request = agent.request(url, { method: 'POST', headers, timeout: 10000 }, (response) => {
      response.resume();
      resolve(String(response.statusCode));
    });
    request.on('error', (error) => resolve(error.code || error.message));
    request.on('timeout', () => request.destroy(new Error('timeout')));
    request.end(body);
  });
}

// One line of JSON for each request, as the web application writes it.
function log(request, status) {
  console.log(JSON.stringify({ peer: request.socket.remoteAddress, forwarded: request.headers['x-forwarded-for'],
    host: request.headers.host, request: `${request.method} ${request.url}`, status }));
}

async function answer(request, response) {
  const path = request.url.split('?')[0];
  const send = (status, data) => {
    log(request, status);
    response.writeHead(status, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(data));
  };
  if (request.headers['x-auth-token'] !== env.AUTH_TOKEN) return send(403, { error: 'Unauthorized' });
  if (path === '/meetmedia/api/ping' || path === '/meetmedia/api/health') return send(200, { pong: true });
  if (path === '/meetmedia/api/sessions' && request.method === 'POST') {
    const id = crypto.randomUUID();
    rooms.set(id, Date.now());
    const turn = env.TURN_SERVER === 'none' ? [] : [{ urls: env.TURN_SERVER }];
    return send(200, { id, signaling: `wss://${env.PUBLIC_DOMAIN}/meetmedia/signaling`, iceServers: turn,
      announced: env.WEBRTC_ANNOUNCED_ADDRESS });
  }
  const room = /^\/meetmedia\/api\/sessions\/([0-9a-f-]+)$/.exec(path);
  if (room && request.method === 'DELETE') {
    rooms.delete(room[1]);
    return send(200, { webhook: await webhook('roomClosed', room[1]) });
  }
  return send(404, { error: 'Not found' });
}

const server = http.createServer((request, response) => { answer(request, response).catch(() => response.destroy()); });
server.on('upgrade', (request, socket) => {
  const key = request.headers['sec-websocket-key'];
  if (!request.url.startsWith('/meetmedia/signaling') || !key) return socket.destroy();
  const accept = crypto.createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  socket.on('error', () => {});
  log(request, 101);
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
  // Upstream's signalling is Socket.IO: every 25 seconds one side says a word (Engine.IO's pingInterval), `2` in a text frame.
  const heart = setInterval(() => socket.write(Buffer.from([0x81, 1, 0x32])), 25000);
  socket.on('close', () => clearInterval(heart));
});
server.listen(Number(env.LISTENING_PORT), env.LISTENING_HOST, () => console.log(`listening on ${env.LISTENING_PORT}, ${workers} media ports`));
process.on('SIGTERM', () => process.exit(0));
