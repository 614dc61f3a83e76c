// server.mjs DIRECTORY PORT: an S3-compatible server with the bucket "exports" and the access key
// S3RVER / S3RVER. Says "listening PORT" when it does. s3rver does not verify signatures of version
// 4 in headers, so aws4, another implementation of the scheme, does it in front.
import aws4 from 'aws4';
import S3rver from 's3rver';

const [directory, port] = process.argv.slice(2);
const keys = {accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER'};
const server = new S3rver({
  address: '127.0.0.1',
  port: Number(port),
  directory,
  silent: true,
  configureBuckets: [{name: 'exports'}],
});
server.middleware.unshift(async (context, next) => {
  const given = context.get('authorization');
  const signed = aws4.sign({
    service: 's3',
    region: given.split('/')[2],
    method: context.method,
    host: context.get('host'),
    path: context.req.url,
    headers: {
      'X-Amz-Date': context.get('x-amz-date'),
      'X-Amz-Content-Sha256': context.get('x-amz-content-sha256'),
    },
  }, keys);
  if (signed.headers.Authorization !== given) {
    context.status = 403;
    context.body = '<Error><Code>SignatureDoesNotMatch</Code></Error>';
    return;
  }
  await next();
});
const {port: bound} = await server.run();
console.log(`listening ${bound}`);
