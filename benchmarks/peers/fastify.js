// The measured routes in Fastify, with its own schema compilers: node fastify.js PORT
'use strict'
const { randomUUID } = require('crypto')
const app = require('fastify')({ logger: false })

const text = { type: 'string' }
const replies = (status, properties) => ({ response: { [status]: { type: 'object', properties } } })
const project = {
  name: { type: 'string', minLength: 3, maxLength: 100 },
  description: { type: 'string', maxLength: 1000 },
  ownerId: { type: 'integer', minimum: 1 },
  status: { type: 'string', enum: ['active', 'archived'], default: 'active' },
  priority: { type: 'integer', minimum: 0, maximum: 5, default: 0 },
  tags: { type: 'array', maxItems: 10, items: { type: 'string', minLength: 1, maxLength: 20 }, default: [] },
  dueDate: { type: 'string', format: 'date' }
}

app.get('/plaintext', (request, reply) => reply.type('text/plain').send('Hello, World!'))
app.get('/json', { schema: replies(200, { message: text }) }, (request, reply) => reply.send({ message: 'Hello, World!' }))
for (let i = 0; i < 50; i++) {
  app.get(`/api/v1/resource${i}`, (request, reply) => reply.send(''))
  app.get(`/api/v1/resource${i}/:id/items/:itemId`, (request, reply) => reply.send(''))
}
app.get('/api/v1/projects/:id/tasks/:taskId', { schema: replies(200, { id: text, taskId: text }) },
  (request, reply) => reply.send({ id: request.params.id, taskId: request.params.taskId }))
app.post('/api/v1/projects', {
  schema: {
    body: { type: 'object', required: ['name', 'ownerId'], additionalProperties: false, properties: project },
    ...replies(201, { id: text, ...project })
  }
}, (request, reply) => reply.code(201).send({ id: randomUUID(), ...request.body }))

app.listen({ port: Number(process.argv[2]), host: '127.0.0.1', backlog: 4096 })
