#!/usr/bin/env bash
# moosefs.sh FOLDER OWNER: a MooseFS of one master and one chunkserver, mounted at FOLDER/one and FOLDER/two, as on two
# hosts. The file FOLDER/ready appears once it is mounted.
#
# Run it as the first process of a pid and a network namespace. All its processes end with this one, and its address
# exists only there. It ends when the process OWNER, a pid in this /proc, has ended.
set -euo pipefail
folder=$1 owner=$2
address=10.201.1.2 # a chunkserver refuses 127.0.0.0/8

ip link set lo up
ip address add "$address/32" dev lo
mkdir "$folder"/{master,chunkserver,chunks,one,two}
cp /var/lib/mfs/metadata.mfs.empty "$folder/master/metadata.mfs"
touch "$folder/topology.cfg"
echo "$address/32 / rw,alldirs,maproot=0,admin" >"$folder/exports.cfg"
echo "$folder/chunks" >"$folder/hdd.cfg"
cat >"$folder/master.cfg" <<CFG
WORKING_USER = root
WORKING_GROUP = root
DATA_PATH = $folder/master
EXPORTS_FILENAME = $folder/exports.cfg
TOPOLOGY_FILENAME = $folder/topology.cfg
MATOML_LISTEN_HOST = $address
MATOCS_LISTEN_HOST = $address
MATOCL_LISTEN_HOST = $address
LOCK_MEMORY = 0
NICE_LEVEL = 0
LIMIT_GLIBC_MALLOC_ARENAS = 0
DISABLE_OOM_KILLER = 0
CFG
cat >"$folder/chunkserver.cfg" <<CFG
WORKING_USER = root
WORKING_GROUP = root
DATA_PATH = $folder/chunkserver
HDD_CONF_FILENAME = $folder/hdd.cfg
HDD_LEAVE_SPACE_DEFAULT = 16MiB
MASTER_HOST = $address
CSSERV_LISTEN_HOST = $address
LOCK_MEMORY = 0
NICE_LEVEL = 0
LIMIT_GLIBC_MALLOC_ARENAS = 0
DISABLE_OOM_KILLER = 0
CFG
mfsmaster -c "$folder/master.cfg" start
mfschunkserver -c "$folder/chunkserver.cfg" start
for mount in one two; do mfsmount "$folder/$mount" -H "$address"; done
# The default, two copies, needs two chunkservers.
mfssetgoal -r 1 "$folder/one" >/dev/null
# The volume takes files once the chunkserver has registered with the master.
until echo >"$folder/one/probe" && sync "$folder/one/probe"; do sleep 0.1; done 2>/dev/null
rm "$folder/one/probe"
touch "$folder/ready"

while [[ -d /proc/$owner ]]; do sleep 1; done
umount --lazy "$folder"/{one,two}
