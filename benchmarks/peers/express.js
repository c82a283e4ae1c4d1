// The measured routes in Express, with Ajv for the body: node express.js PORT
'use strict'
const { randomUUID } = require('crypto')
const express = require('express')
const Ajv = require('ajv')
const app = express()

const accepts = new Ajv({ useDefaults: true, allErrors: true }).compile({
  type: 'object',
  required: ['name', 'ownerId'],
  additionalProperties: false,
  properties: {
    name: { type: 'string', minLength: 3, maxLength: 100 },
    description: { type: 'string', maxLength: 1000 },
    ownerId: { type: 'integer', minimum: 1 },
    status: { type: 'string', enum: ['active', 'archived'], default: 'active' },
    priority: { type: 'integer', minimum: 0, maximum: 5, default: 0 },
    tags: { type: 'array', maxItems: 10, items: { type: 'string', minLength: 1, maxLength: 20 }, default: [] },
    dueDate: { type: 'string', pattern: '^\\d{4}-\\d{2}-\\d{2}$' }
  }
})

app.get('/plaintext', (request, response) => response.type('text/plain').send('Hello, World!'))
app.get('/json', (request, response) => response.json({ message: 'Hello, World!' }))
for (let i = 0; i < 50; i++) {
  app.get(`/api/v1/resource${i}`, (request, response) => response.send(''))
  app.get(`/api/v1/resource${i}/:id/items/:itemId`, (request, response) => response.send(''))
}
app.get('/api/v1/projects/:id/tasks/:taskId',
  (request, response) => response.json({ id: request.params.id, taskId: request.params.taskId }))
app.post('/api/v1/projects', express.json(), (request, response) => {
  if (!accepts(request.body)) return response.status(400).json({ errors: accepts.errors })
  response.status(201).json({ id: randomUUID(), ...request.body })
})

app.listen(Number(process.argv[2]), '127.0.0.1', 4096)
