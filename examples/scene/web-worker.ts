// The web server's child. It does not care whether its parent lives, as stray processes do not, but ends some time.
setInterval(() => {
  if (process.connected) process.send?.('beat');
}, 100);
setTimeout(() => process.exit(), 60_000);
process.on('disconnect', () => undefined);
