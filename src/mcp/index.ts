export { type HttpServer, type HttpServerOptions, startHttpServer } from './http/server.ts';
export { runStdioServer, type StdioServerOptions } from './stdio.ts';
