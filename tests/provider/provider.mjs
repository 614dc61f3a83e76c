// A real OpenID provider on loopback for tests/system/oidc_test.py.
//   node provider.mjs PORT     prints "ready ISSUER"; PORT 0 takes a free one
// Lines on stdin: "rotate" replaces the signing keys while it runs, "counts" prints how often the
// key set was asked for.
import crypto from 'node:crypto'
import http from 'node:http'
import readline from 'node:readline'
import Provider from 'oidc-provider'

const SECRET = 'a secret of the test'
// What each client's tokens claim.
const CLAIMS = {
  viewer: { custId: '900100200', level: '6831', realm_access: { roles: ['viewer'] } },
  parent: { custId: 900100200, group: ['/Cap (900100200)', '/Other (77)'],
            realm_access: { roles: ['viewer'] } },
  grouped: { group: ['/Cap (900100200)'], realm_access: { roles: ['editor', 'offline_access'] } },
  stranger: { custId: '77', realm_access: { roles: ['admin'] } },
  nobody: { realm_access: { roles: ['admin'] } },
  roleless: { custId: '900100200' },
  admin: { custId: '900100200', realm_access: { roles: ['admin'] } },
  mapped: { 'https://example.test/tenant': 900100200, plan: { id: 6831 }, team: 'qoe-admins' },
}
const RESOURCES = {
  'https://api.playhead.test': { audience: 'playhead', alg: 'RS256' },
  'https://other.test': { audience: 'someone-else', alg: 'RS256' },
  'https://es.playhead.test': { audience: 'playhead', alg: 'ES256' },
}

let keySetReads = 0
let handle

function newKeys() {
  const rsa = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  const ec = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  const named = (key, alg) => ({ ...key.export({ format: 'jwk' }), use: 'sig', alg,
                                 kid: crypto.randomUUID() })
  return [named(rsa, 'RS256'), named(ec, 'ES256')]
}

function newProvider(issuer) {
  const provider = new Provider(issuer, {
    jwks: { keys: newKeys() },
    clients: Object.keys(CLAIMS).map((client_id) => ({
      client_id, client_secret: SECRET, grant_types: ['client_credentials'], redirect_uris: [],
      response_types: [],
    })),
    extraTokenClaims: (_, token) => CLAIMS[token.clientId],
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_, resource) => ({
          scope: 'read', audience: RESOURCES[resource].audience, accessTokenFormat: 'jwt',
          jwt: { sign: { alg: RESOURCES[resource].alg } },
        }),
      },
    },
    ttl: { ClientCredentials: 600 },
  })
  return provider.callback()
}

const server = http.createServer((request, response) => {
  if (request.url === '/jwks') keySetReads += 1
  handle(request, response)
})
server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`
  handle = newProvider(issuer)
  console.log(`ready ${issuer}`)
  readline.createInterface({ input: process.stdin }).on('line', (line) => {
    if (line === 'rotate') {
      handle = newProvider(issuer)
      console.log('rotated')
    } else if (line === 'counts') {
      console.log(keySetReads)
    }
  }).on('close', () => process.exit(0))
})
