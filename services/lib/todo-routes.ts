/** The routes that gateway and todos share, with the statuses that todos answers. */
export const todoRoutes = [
  { method: 'GET', route: '/todos', statuses: [200, 500] },
  { method: 'POST', route: '/todos', statuses: [201, 400, 500] },
  { method: 'GET', route: '/todos/:id', statuses: [200, 404, 500] },
  { method: 'PATCH', route: '/todos/:id', statuses: [200, 400, 404, 500] },
  { method: 'DELETE', route: '/todos/:id', statuses: [204, 404, 500] },
] as const
