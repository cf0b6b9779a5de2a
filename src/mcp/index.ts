export { type HttpServer, type HttpServerOptions, startHttpServer } from './http.ts';
export { runStdioServer, type StdioServerOptions } from './stdio.ts';
