export type { Invited, Role } from '../wire/membership.ts';
export type { AttemptName } from '../wire/messages.ts';
export type { LastSeen, RemoteHost, RemoteTask } from '../wire/operations.ts';
export type { Fleet, FleetSpawnOptions, FleetTasksOptions } from './fleet.ts';
export type { FleetTask, RemoteStretch, RemoteWaitOptions } from './fleet-task.ts';
export type { FollowedOutput } from './follow-output.ts';
export { type OpenFleetOptions, openFleet } from './open-fleet.ts';
